//! What happened since a time is sent again.

use std::collections::BTreeSet;

use super::*;
use db::test_support::org;
use notifications::domain::webhook::{Terms, Webhook, WebhookState};
use notifications::domain::webhook_event::{EventType, WebhookEvent};
use notifications::domain::webhook_secret::{Secret, Secrets};
use notifications::store::{MIGRATIONS, webhook_events, webhooks};

fn since(webhook: &pb::Webhook, hours: u64, page_token: &str) -> pb::ReplayWebhookEventsRequest {
    pb::ReplayWebhookEventsRequest {
        webhook_id: webhook.webhook_id.clone(),
        since_time: Some(proto_time(NEW_YEAR.plus(Duration::from_secs(hours * 3600)))),
        page_token: page_token.to_owned(),
        ..Default::default()
    }
}

testkit::on_both_databases! {
    // D8
    async fn a_replay_sends_what_happened_since_in_its_order_with_the_ids_of_then(engine) {
        let world = World::start(engine).await;
        let types = [Type::NoteCreated, Type::NoteUpdated];
        let (webhook, secret) = world.webhook("acme", "/hook", &types, false).await;
        let (note_id, conversation) = (new_id(), new_id());
        let mut ids = Vec::new();
        for number in 0..6 {
            let kind = if number == 0 { Type::NoteCreated } else { Type::NoteUpdated };
            let event = note(kind, &note_id, &conversation);
            ids.push(event.event_id.clone());
            world.publish("acme", &[event, resolved(&conversation)]).await;
            world.hook.sees(number + 1).await;
            world.rests("acme", &webhook.webhook_id).await;
            world.suite.hand().advance(Duration::from_secs(3600));
        }
        let request = pb::ReplayWebhookEventsRequest { request_id: new_id(), ..since(&webhook, 2, "") };
        let replayed = world.admin("acme").replay_webhook_events(request.clone()).await.unwrap().into_inner();
        assert_eq!((replayed.queued_count, replayed.next_page_token.as_str()), (4, ""));
        // The same request again queues nothing.
        let repeated = world.admin("acme").replay_webhook_events(request).await.unwrap().into_inner();
        assert_eq!(repeated, replayed);
        let again = world.hook.sees(10).await.split_off(6);
        let sent: Vec<&str> = again.iter().map(|call| call.header("webhook-id")).collect();
        assert_eq!(sent, &ids[2..]);
        assert!(again.iter().all(|call| signed(call, &secret)));
        world.settled("acme", &webhook.webhook_id, &[pb::DeliveryState::Sent]).await;
        assert_eq!(world.hook.seen().len(), 10);
        world.suite.stop().await;
    }

    // D8, P7
    async fn a_long_replay_takes_several_calls_and_misses_nothing(engine) {
        let world = World::start(engine).await;
        let (webhook, _) = world.webhook("acme", "/hook", &[Type::ConversationResolved], false).await;
        let pause = pb::UpdateWebhookRequest {
            webhook_id: webhook.webhook_id.clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["enabled".to_owned()] }),
            ..Default::default()
        };
        world.admin("acme").update_webhook(pause.clone()).await.unwrap();
        for _ in 0..21 {
            let events: Vec<_> = (0..100).map(|_| resolved(&new_id())).collect();
            world.publish("acme", &events).await;
        }
        world.admin("acme").update_webhook(pb::UpdateWebhookRequest { enabled: true, ..pause }).await.unwrap();
        let (mut token, mut counts) = (String::new(), Vec::new());
        loop {
            let request = since(&webhook, 0, &token);
            let answer = world.admin("acme").replay_webhook_events(request).await.unwrap().into_inner();
            counts.push(answer.queued_count);
            token = answer.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(counts, [1_000, 1_000, 100]);
        // As long as it takes, if only it goes on.
        for count in (100..=2_100).step_by(100) {
            world.hook.sees(count).await;
        }
        let seen = world.hook.seen();
        let ids: std::collections::HashSet<&str> = seen.iter().map(|call| call.header("webhook-id")).collect();
        assert_eq!(ids.len(), 2_100);
        world.suite.stop().await;
    }
}

// D8, D9
db::both_databases!(events_are_forgotten_after_their_days_and_not_before, MIGRATIONS, |db| async move {
    let app = crate::store::app(&db);
    let org = org("acme");
    let now = app.clock.now();
    let webhook = Webhook {
        webhook_id: app.clock.new_id().into(),
        version: 1,
        terms: Terms {
            url: "https://hook.invalid/".to_owned(),
            description: String::new(),
            event_types: BTreeSet::from([EventType::ConversationResolved]),
            include_private: false,
        },
        state: WebhookState::Paused,
        secrets: Secrets::new(Secret::of([1; 32])),
        failing_since: None,
        create_time: now,
        update_time: now,
    };
    app.db
        .write(&org, move |tx| Box::pin(async move { webhooks::insert(tx, &webhook).await }))
        .await
        .unwrap();
    let conversation = app.clock.new_id();
    let event = WebhookEvent {
        event_id: app.clock.new_id().into(),
        kind: EventType::ConversationResolved,
        object: conversation,
        conversation: Some(conversation.into()),
        contact: None,
        occur_time: now,
        data: json!({}),
        private_text: None,
    };
    let id = event.event_id;
    app.publish(&org, audit::Origin::system("notes", "test"), vec![event]).await.unwrap();
    let find = || app.db.read(&org, move |tx| Box::pin(webhook_events::find(tx, id)));
    assert!(find().await.unwrap().is_some());
    assert_eq!(app.forget_webhook_events(now).await.unwrap(), 0);
    let later = now.plus(Duration::from_secs(60));
    assert_eq!(app.forget_webhook_events(later).await.unwrap(), 1);
    assert!(find().await.unwrap().is_none());
});
