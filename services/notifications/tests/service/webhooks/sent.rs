//! What is sent, to whom, in which order, and signed.

use super::*;
use proto::notifications::v1::erasure_service_client::ErasureServiceClient;

testkit::on_both_databases! {
    // D8
    async fn what_happened_is_sent_signed_to_those_who_want_it_and_to_nobody_else(engine) {
        let world = World::start(engine).await;
        let (_, secret) = world.webhook("acme", "/notes", &[Type::NoteCreated], false).await;
        let (_, other) = world.webhook("acme", "/all", &[Type::NoteCreated, Type::ConversationResolved], false).await;
        world.webhook("umbrella", "/foreign", &[Type::NoteCreated], true).await;
        let (conversation, note_id) = (new_id(), new_id());
        let (created, done) = (note(Type::NoteCreated, &note_id, &conversation), resolved(&conversation));
        world.publish("acme", &[created.clone(), done.clone()]).await;
        // An event that comes again is sent once.
        world.publish("acme", std::slice::from_ref(&created)).await;

        let seen = world.hook.sees(3).await;
        let to = |path: &str| seen.iter().filter(|seen| seen.path == path).collect::<Vec<_>>();
        assert_eq!((to("/notes").len(), to("/all").len()), (1, 2));
        let call = to("/notes")[0];
        assert_eq!(call.header("webhook-id"), created.event_id);
        assert_eq!(call.header("content-type"), "application/json");
        assert!(signed(call, &secret) && !signed(call, &other));
        let told = said(call);
        assert_eq!((&told["type"], &told["timestamp"]), (&json!("note.created"), &json!("2026-01-01T00:00:00Z")));
        assert_eq!(told["data"]["note_id"], json!(note_id));
        assert!(to("/all").iter().all(|call| signed(call, &other)));
        let kinds: Vec<Value> = to("/all").iter().map(|call| said(call)["type"].clone()).collect();
        assert!(kinds.contains(&json!("conversation.resolved")), "{kinds:?}");
        world.suite.stop().await;
    }

    // D8, N3
    async fn what_a_note_says_is_sent_only_to_who_asked_for_it_and_still_does(engine) {
        let world = World::start(engine).await;
        let (open, _) = world.webhook("acme", "/open", &[Type::NoteCreated, Type::NoteUpdated], true).await;
        let (closed, _) = world.webhook("acme", "/closed", &[Type::NoteCreated, Type::NoteUpdated], false).await;
        world.publish("acme", &[note(Type::NoteCreated, &new_id(), &new_id())]).await;
        for call in world.hook.sees(2).await {
            let text = said(&call)["data"]["private_text"].clone();
            assert_eq!(text, if call.path == "/open" { json!(CANARY) } else { Value::Null }, "{}", call.path);
        }
        // Withdrawn while the next one waits: that one has nothing private any more.
        world.hook.answers(|_| status(503));
        world.publish("acme", &[note(Type::NoteUpdated, &new_id(), &new_id())]).await;
        world.hook.sees(4).await;
        world.rests("acme", &open.webhook_id).await;
        world.rests("acme", &closed.webhook_id).await;
        let withdrawn = pb::UpdateWebhookRequest {
            webhook_id: open.webhook_id.clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["include_private".to_owned()] }),
            ..Default::default()
        };
        world.admin("acme").update_webhook(withdrawn).await.unwrap();
        world.hook.answers(|_| status(204));
        world.suite.hand().advance(Duration::from_secs(3600));
        let again = world.hook.sees(6).await.split_off(4);
        assert!(again.iter().any(|call| call.path == "/open"));
        assert!(again.iter().all(|call| !String::from_utf8_lossy(&call.body).contains(CANARY)));
        world.suite.stop().await;
    }

    // D8, D7
    async fn a_call_that_failed_comes_again_with_the_same_id_and_body_and_a_signature_of_its_own_time(engine) {
        let world = World::start(engine).await;
        let (webhook, secret) = world.webhook("acme", "/hook", &[Type::NoteCreated], true).await;
        let mut left = 2;
        world.hook.answers(move |_| {
            left -= 1;
            status(if left >= 0 { 500 } else { 200 })
        });
        world.publish("acme", &[note(Type::NoteCreated, &new_id(), &new_id())]).await;
        for count in 1..=3 {
            world.hook.sees(count).await;
            world.rests("acme", &webhook.webhook_id).await;
            world.suite.hand().advance(Duration::from_secs(3600));
        }
        let delivered = world.settled("acme", &webhook.webhook_id, &[pb::DeliveryState::Sent]).await;
        assert_eq!((delivered.len(), delivered[0].attempt_count), (1, 3));
        let seen = world.hook.seen();
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|call| signed(call, &secret)));
        assert!(seen.iter().all(|call| call.body == seen[0].body));
        assert!(seen.iter().all(|call| call.header("webhook-id") == seen[0].header("webhook-id")));
        assert_ne!(seen[0].header("webhook-timestamp"), seen[2].header("webhook-timestamp"));
        world.suite.stop().await;
    }

    // D8
    async fn events_of_one_object_come_in_their_order_though_calls_fail_and_others_do_not_wait(engine) {
        let world = World::start(engine).await;
        let (webhook, _) = world.webhook("acme", "/hook", &[Type::NoteCreated, Type::NoteUpdated], false).await;
        let (stuck, other, conversation) = (new_id(), new_id(), new_id());
        let mut refused = 0;
        let first = note(Type::NoteCreated, &stuck, &conversation);
        let failing = first.event_id.clone();
        world.hook.answers(move |call| {
            let refuse = call.header("webhook-id") == failing && refused < 2;
            refused += i32::from(refuse);
            // 404 concerns this event alone.
            status(if refuse { 404 } else { 204 })
        });
        let mut events = vec![first];
        for _ in 0..5 {
            events.push(note(Type::NoteUpdated, &stuck, &conversation));
            events.push(note(Type::NoteUpdated, &other, &conversation));
        }
        world.publish("acme", &events).await;
        // The other note's five and the first of the one that is stuck.
        world.hook.sees(6).await;
        let of = |seen: &[Seen], note: &str| -> Vec<String> {
            let its = seen.iter().filter(|call| said(call)["data"]["note_id"] == note);
            its.map(|call| call.header("webhook-id").to_owned()).collect()
        };
        let ids = |note: &str| -> Vec<String> {
            let its = events.iter().filter(|event| {
                matches!(&event.change, Some(Change::Note(change)) if change.note_id == note)
            });
            its.map(|event| event.event_id.clone()).collect()
        };
        assert_eq!(of(&world.hook.seen(), &stuck).len(), 1, "the rest waits");
        for more in [7, 13] {
            world.rests("acme", &webhook.webhook_id).await;
            world.suite.hand().advance(Duration::from_secs(3600));
            world.hook.sees(more).await;
        }
        let seen = world.hook.seen();
        let mut expected = ids(&stuck);
        let failed = expected[0].clone();
        expected.splice(0..0, [failed.clone(), failed]);
        assert_eq!(of(&seen, &stuck), expected);
        assert_eq!(of(&seen, &other), ids(&other));
        world.suite.stop().await;
    }

    // D8, P12
    async fn what_was_erased_is_not_sent_any_more_nor_replayed(engine) {
        let world = World::start(engine).await;
        let (webhook, _) = world.webhook("acme", "/hook", &[Type::NoteCreated], true).await;
        world.hook.answers(|_| status(503));
        let (gone, kept) = (new_id(), new_id());
        world.publish("acme", &[note(Type::NoteCreated, &new_id(), &gone)]).await;
        world.hook.sees(1).await;
        let mut erasure = ErasureServiceClient::new(world.suite.client("acme", "contacts", Role::Service));
        let request = pb::EraseConversationsRequest { erasure_id: new_id(), conversation_ids: vec![gone.clone()] };
        let mut removed = Vec::new();
        for _ in 0..10 {
            let answer = erasure.erase_conversations(request.clone()).await.unwrap().into_inner();
            removed = answer.removed;
            if answer.done {
                break;
            }
        }
        assert!(removed.iter().any(|it| it.kind == "webhook_events" && it.count == 1), "{removed:?}");
        world.hook.answers(|_| status(204));
        world.rests("acme", &webhook.webhook_id).await;
        world.suite.hand().advance(Duration::from_secs(3600));
        let done = world.settled("acme", &webhook.webhook_id, &[pb::DeliveryState::Skipped]).await;
        assert_eq!(done.len(), 1);
        // Nor what is told of it later.
        world.publish("acme", &[note(Type::NoteCreated, &new_id(), &gone), note(Type::NoteCreated, &new_id(), &kept)]).await;
        let seen = world.hook.sees(2).await;
        assert_eq!(said(&seen[1])["data"]["conversation_id"], json!(kept));
        world.suite.stop().await;
    }
}
