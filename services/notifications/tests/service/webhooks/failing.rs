//! What becomes of a webhook that fails.

use super::*;
use proto::common::v1::ErrorReason;
use rpc::reason_of;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn told(world: &World, subject: &str) -> Vec<pb::Notification> {
    list(&mut person(&world.suite, "acme", subject)).await
}

async fn root_is_told(world: &World) -> pb::Notification {
    let told = async {
        loop {
            match told(world, "root").await.pop() {
                Some(entry) => return entry,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the admin is told")
}

async fn set_enabled(world: &World, id: &str, enabled: bool) -> pb::Webhook {
    let request = pb::UpdateWebhookRequest {
        webhook_id: id.to_owned(),
        enabled,
        update_mask: Some(prost_types::FieldMask { paths: vec!["enabled".to_owned()] }),
        ..Default::default()
    };
    world.admin("acme").update_webhook(request).await.unwrap().into_inner().webhook.unwrap()
}

fn some_note() -> pb::WebhookEvent {
    note(Type::NoteCreated, &new_id(), &new_id())
}

testkit::on_both_databases! {
    // D8
    async fn three_days_of_failures_disable_a_webhook_and_its_admins_are_told_once(engine) {
        let world = World::start(engine).await;
        let (webhook, _) = world.webhook("acme", "/hook", &[Type::NoteCreated], false).await;
        let id = webhook.webhook_id.as_str();
        world.hook.answers(|_| status(500));
        world.publish("acme", &[some_note()]).await;
        world.hook.sees(1).await;
        let failing = world.becomes("acme", id, |webhook| webhook.failing_since_time.is_some()).await;
        assert_eq!(failing.state(), pb::WebhookState::Enabled);
        world.rests("acme", id).await;
        world.suite.hand().advance(DAY);
        world.hook.sees(2).await;
        world.rests("acme", id).await;
        assert_eq!(world.read("acme", id).await.state(), pb::WebhookState::Enabled, "a day is not three");
        assert!(told(&world, "root").await.is_empty());
        world.suite.hand().advance(2 * DAY);
        world.becomes("acme", id, |webhook| webhook.state() == pb::WebhookState::Disabled).await;
        let entry = root_is_told(&world).await;
        assert_eq!(entry.r#type(), pb::NotificationType::WebhookDisabled);
        assert!(entry.reason.contains(id) && !entry.reason.contains(&world.hook.url), "{}", entry.reason);
        assert!(told(&world, "ana").await.is_empty(), "admins alone");

        // While it is disabled nothing is sent; what is still waiting is skipped, not given up.
        world.rests("acme", id).await;
        let calls = world.hook.seen().len();
        world.publish("acme", &[some_note()]).await;
        world.suite.hand().advance(DAY);
        let all = world.settled("acme", id, &[pb::DeliveryState::Skipped]).await;
        assert_eq!((all.len(), world.hook.seen().len()), (1, calls));
        // Enabled again, it is called, and a replay sends what it missed.
        world.hook.answers(|_| status(204));
        let enabled = set_enabled(&world, id, true).await;
        assert_eq!((enabled.state(), enabled.failing_since_time), (pb::WebhookState::Enabled, None));
        let replay = pb::ReplayWebhookEventsRequest {
            webhook_id: id.to_owned(),
            since_time: Some(proto_time(NEW_YEAR)),
            ..Default::default()
        };
        let queued = world.admin("acme").replay_webhook_events(replay).await.unwrap().into_inner().queued_count;
        assert_eq!(queued, 2);
        world.hook.sees(calls + 2).await;
        assert_eq!(told(&world, "root").await.len(), 1);
        world.suite.stop().await;
    }

    // D8
    async fn admins_are_told_of_a_disabled_webhook_also_if_routing_was_down_at_that_moment(engine) {
        let world = World::start(engine).await;
        let (webhook, _) = world.webhook("acme", "/hook", &[Type::NoteCreated], false).await;
        world.routing.is_down(true);
        // 410 says that nobody will ever answer there again.
        world.hook.answers(|_| status(410));
        world.publish("acme", &[some_note()]).await;
        let id = webhook.webhook_id.as_str();
        world.becomes("acme", id, |webhook| webhook.state() == pb::WebhookState::Disabled).await;
        let failed = world.settled("acme", id, &[pb::DeliveryState::Failed]).await;
        assert_eq!(failed[0].attempt_count, 1, "410 is not tried again");
        assert!(told(&world, "root").await.is_empty());
        world.routing.is_down(false);
        // Another webhook that ends rings the bell; without one it would be half a minute.
        let (second, _) = world.webhook("acme", "/second", &[Type::NoteCreated], false).await;
        world.publish("acme", &[some_note()]).await;
        world.becomes("acme", &second.webhook_id, |webhook| webhook.state() == pb::WebhookState::Disabled).await;
        let both = async {
            while told(&world, "root").await.len() < 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, both).await.expect("of both");
        world.suite.stop().await;
    }

    // D8
    async fn a_success_in_between_forgets_the_failures(engine) {
        let world = World::start(engine).await;
        let (webhook, _) = world.webhook("acme", "/hook", &[Type::NoteCreated], false).await;
        let id = webhook.webhook_id.as_str();
        for round in 1..=4 {
            let mut first = true;
            world.hook.answers(move |_| status(if std::mem::take(&mut first) { 500 } else { 204 }));
            world.publish("acme", &[some_note()]).await;
            world.becomes("acme", id, |webhook| webhook.failing_since_time.is_some()).await;
            world.rests("acme", id).await;
            world.suite.hand().advance(DAY);
            world.becomes("acme", id, |webhook| webhook.failing_since_time.is_none()).await;
            assert_eq!(world.read("acme", id).await.state(), pb::WebhookState::Enabled, "day {round}");
        }
        world.suite.stop().await;
    }

    // D8
    async fn what_an_old_url_answers_says_nothing_of_the_new_one(engine) {
        let world = World::start(engine).await;
        for answer in [410, 500] {
            let (webhook, _) = world.webhook("acme", "/old", &[Type::NoteCreated], false).await;
            let id = webhook.webhook_id.as_str();
            let ((called, call), (end, ended)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
            world.hook.answers(move |_| {
                called.send(()).unwrap();
                let _dropped = tokio::task::block_in_place(|| ended.recv_timeout(PATIENCE));
                status(answer)
            });
            world.publish("acme", &[some_note()]).await;
            tokio::task::block_in_place(|| call.recv_timeout(PATIENCE)).unwrap();
            // The admin names another one before the answer is there.
            let request = pb::UpdateWebhookRequest {
                webhook_id: id.to_owned(),
                url: format!("{}/new", world.hook.url),
                update_mask: Some(prost_types::FieldMask { paths: vec!["url".to_owned()] }),
                ..Default::default()
            };
            world.admin("acme").update_webhook(request).await.unwrap();
            end.send(()).unwrap();
            world.rests("acme", id).await;
            let after = world.read("acme", id).await;
            assert_eq!((after.state(), after.failing_since_time), (pb::WebhookState::Enabled, None), "{answer}");
            let delete = pb::DeleteWebhookRequest { webhook_id: id.to_owned(), ..Default::default() };
            world.admin("acme").delete_webhook(delete).await.unwrap();
        }
        world.suite.stop().await;
    }

    // D8
    async fn a_paused_webhook_is_not_called_and_a_replay_to_it_is_refused(engine) {
        let world = World::start(engine).await;
        let (webhook, _) = world.webhook("acme", "/hook", &[Type::NoteCreated], false).await;
        let id = webhook.webhook_id.as_str();
        assert_eq!(set_enabled(&world, id, false).await.state(), pb::WebhookState::Paused);
        world.publish("acme", &[some_note()]).await;
        assert!(world.deliveries("acme", id).await.is_empty());
        let replay = pb::ReplayWebhookEventsRequest {
            webhook_id: id.to_owned(),
            since_time: Some(proto_time(NEW_YEAR)),
            ..Default::default()
        };
        let refused = world.admin("acme").replay_webhook_events(replay).await.unwrap_err();
        assert_eq!(reason_of(&refused), Some(ErrorReason::WebhookNotEnabled));
        assert!(world.hook.seen().is_empty());
        world.suite.stop().await;
    }

    // D8
    async fn a_trial_tells_what_the_endpoint_answers_even_while_the_webhook_is_paused(engine) {
        let world = World::start(engine).await;
        let (webhook, secret) = world.webhook("acme", "/hook", &[Type::NoteCreated], false).await;
        let id = webhook.webhook_id.as_str();
        set_enabled(&world, id, false).await;
        let test = || async {
            let request = pb::TestWebhookRequest { webhook_id: id.to_owned() };
            world.admin("acme").test_webhook(request).await.unwrap().into_inner()
        };
        let well = test().await;
        assert_eq!((well.accepted, well.response_status, well.failure.as_str()), (true, 204, ""));
        let call = &world.hook.seen()[0];
        assert!(signed(call, &secret));
        assert_eq!((&said(call)["type"], &said(call)["data"]["webhook_id"]), (&json!("webhook.ping"), &json!(id)));
        world.hook.answers(|_| status(302));
        let moved = test().await;
        assert_eq!((moved.accepted, moved.response_status), (false, 302));
        assert!(moved.failure.contains("redirect"), "{}", moved.failure);
        assert!(world.deliveries("acme", id).await.is_empty());
        world.suite.stop().await;
    }

    // D8, fault 28
    async fn a_webhook_whose_name_is_of_this_machine_is_not_connected_to(engine) {
        let hook = Outside::open().await;
        let suite = builder(engine).start().await;
        let mut admin = WebhookServiceClient::new(suite.client("acme", "root", Role::Admin));
        let request = pb::CreateWebhookRequest {
            url: hook.url.replace("http://127.0.0.1", "https://localhost"),
            event_types: vec![Type::NoteCreated.into()],
            ..Default::default()
        };
        let webhook = admin.create_webhook(request).await.unwrap().into_inner().webhook.unwrap();
        let test = pb::TestWebhookRequest { webhook_id: webhook.webhook_id };
        let tested = admin.test_webhook(test).await.unwrap().into_inner();
        assert_eq!((tested.accepted, tested.response_status), (false, 0));
        assert!(tested.failure.contains("public internet"), "{}", tested.failure);
        assert!(hook.seen().is_empty());
        suite.stop().await;
    }
}
