//! Messages in and out, and what they make of conversations.

use std::collections::HashSet;
use std::time::Duration;

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notifications::v1::NotificationType;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, inbound, outbound, refusal};

testkit::on_both_databases! {
    // R5
    async fn the_first_message_makes_the_conversation_and_later_ones_continue_it(engine) {
        let world = World::on(engine).await;
        let first = world.record(inbound("c-1", "1")).await;
        assert!(first.conversation_created && !first.duplicate);
        let second = world.record(inbound("c-1", "2")).await;
        assert!(!second.conversation_created);
        let (one, two) = (first.conversation.unwrap(), second.conversation.unwrap());
        assert_eq!((one.conversation_id.as_str(), two.message_count), (two.conversation_id.as_str(), 2));
        assert_eq!((two.source.as_str(), two.channel.as_str(), two.external_id.as_str()), ("airline", "chat", "c-1"));
        assert_ne!(one.etag, two.etag);
        assert_eq!(two.waiting_since_time, one.waiting_since_time);
        let request = ListMessagesRequest { conversation_id: two.conversation_id.clone(), ..Default::default() };
        let messages = world.adapter().list_messages(request).await.unwrap().into_inner().messages;
        assert_eq!(messages.iter().map(|message| message.position).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(messages[0], first.message.unwrap());
    }

    // R5
    async fn a_redelivered_message_changes_nothing_even_for_another_conversation(engine) {
        let world = World::on(engine).await;
        let first = world.record(inbound("c-1", "1")).await;
        let again = world.record(inbound("c-1", "1")).await;
        assert!(again.duplicate && !again.conversation_created);
        assert_eq!((&again.message, &again.conversation), (&first.message, &first.conversation));
        for other in ["c-2", "c-3"] {
            let known = world.record(inbound(other, "x")).await;
            assert!(known.conversation_created);
            let elsewhere = RecordMessageRequest { external_id: "c-1/1".into(), ..inbound(other, "y") };
            let elsewhere = world.record(elsewhere).await;
            assert!(elsewhere.duplicate);
            assert_eq!(elsewhere.conversation, first.conversation);
        }
        let unknown = RecordMessageRequest { external_id: "c-1/1".into(), ..inbound("c-9", "y") };
        assert!(world.record(unknown).await.duplicate);
        let listed = world.view("ana", InboxView::All).await;
        assert_eq!(listed.len(), 3, "no conversation c-9");
    }

    // R5
    async fn redeliveries_at_once_are_recorded_once_and_positions_have_no_gaps(engine) {
        let world = World::on(engine).await;
        let mut calls = Vec::new();
        for message in 0..12 {
            for _ in 0..4 {
                let (mut adapter, message) = (world.adapter(), inbound("c-1", &message.to_string()));
                calls.push(tokio::spawn(async move { adapter.record_message(message).await }));
            }
        }
        let (mut new, mut conversations, mut created) = (0, HashSet::new(), 0);
        for call in calls {
            let recorded = call.await.unwrap().unwrap().into_inner();
            new += usize::from(!recorded.duplicate);
            created += usize::from(recorded.conversation_created);
            conversations.insert(recorded.conversation.unwrap().conversation_id);
        }
        assert_eq!((new, conversations.len(), created), (12, 1, 1));
        let id = conversations.into_iter().next().unwrap();
        assert_eq!(world.read(&id).await.message_count, 12);
        let request = ListMessagesRequest { conversation_id: id, ..Default::default() };
        let messages = world.adapter().list_messages(request).await.unwrap().into_inner().messages;
        let positions: Vec<i64> = messages.iter().map(|message| message.position).collect();
        assert_eq!(positions, (1..=12).collect::<Vec<i64>>());
    }

    // R4, R5
    async fn an_answer_ends_the_waiting_and_names_its_author(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        let answer = RecordMessageRequest { conversation_id: it.conversation_id.clone(), ..outbound("", "2") };
        let answered = world.conversations("ana", Role::Agent).record_message(answer).await.unwrap().into_inner();
        let (message, it) = (answered.message.unwrap(), answered.conversation.unwrap());
        let author = message.author.unwrap();
        assert_eq!((author.subject.as_str(), author.role()), ("ana", proto::common::v1::Role::Agent));
        assert!(it.waiting_since_time.is_none() && it.first_reply_time.is_some());
        assert!(world.record(inbound("c-1", "3")).await.conversation.unwrap().waiting_since_time.is_some());
    }

    // R5
    async fn a_message_of_no_known_conversation_is_refused_unless_a_customer_begins_it(engine) {
        let world = World::on(engine).await;
        let refused = world.adapter().record_message(outbound("c-1", "1")).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::NotFound, Some(ErrorReason::NotFound)));
        let nobody = RecordMessageRequest { contact_address: String::new(), ..inbound("c-1", "1") };
        assert_eq!(refusal(&world.adapter().record_message(nobody).await.unwrap_err()).1, Some(ErrorReason::InvalidField));
        let nameless = RecordMessageRequest { conversation_external_id: String::new(), ..inbound("c-1", "1") };
        assert_eq!(world.adapter().record_message(nameless).await.unwrap_err().code(), Code::InvalidArgument);
        let it = world.begin("c-1").await;
        let other = RecordMessageRequest {
            channel: "email".into(),
            conversation_id: it.conversation_id,
            ..inbound("c-1", "2")
        };
        assert_eq!(world.adapter().record_message(other).await.unwrap_err().code(), Code::InvalidArgument);
    }

    // R4, P6
    async fn tags_subject_and_priority_change_by_etag(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        let request = UpdateConversationRequest {
            conversation_id: it.conversation_id.clone(),
            subject: "Lost bag".into(),
            tags: vec!["b".into(), "a".into()],
            priority: Priority::High.into(),
            etag: it.etag.clone(),
            request_id: world.request_id(),
            ..Default::default()
        };
        let mut agent = world.conversations("ana", Role::Agent);
        let changed = agent.update_conversation(request.clone()).await.unwrap().into_inner().conversation.unwrap();
        assert_eq!((changed.subject.as_str(), changed.priority()), ("Lost bag", Priority::High));
        assert_eq!(changed.tags, ["a", "b"]);
        let again = agent.update_conversation(request.clone()).await.unwrap().into_inner().conversation.unwrap();
        assert_eq!(again, changed, "P5: a retry has the first answer");
        let stale = UpdateConversationRequest { request_id: String::new(), ..request };
        let refused = agent.update_conversation(stale).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Aborted, Some(ErrorReason::StaleEtag)));
    }

    // R6
    async fn a_message_from_the_customer_reopens_and_the_assignee_stays_and_is_told(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let it = world.begin("c-1").await;
        world.assign("ana", &it, &ana).await.unwrap();
        let resolved = world.resolve(&it.conversation_id).await;
        assert_eq!((resolved.status(), world.agent("ana").await.open_conversation_count), (ConversationStatus::Resolved, 0));
        assert!(resolved.resolve_time.is_some() && resolved.waiting_since_time.is_none());
        assert_eq!(world.resolve(&it.conversation_id).await, resolved, "resolving again changes nothing");
        let reopened = world.record(inbound("c-1", "2")).await.conversation.unwrap();
        assert_eq!(reopened.status(), ConversationStatus::Open);
        assert_eq!(reopened.assignee.unwrap().agent_id, ana.agent_id);
        assert_eq!(world.agent("ana").await.open_conversation_count, 1);
        let told = world.told(1).await;
        assert_eq!((told.len(), told[0].r#type()), (1, NotificationType::Reopened));
        assert_eq!((told[0].recipient_subjects.as_slice(), told[0].actor.is_none()), (["ana".to_owned()].as_slice(), true));
    }

    // R6
    async fn reopening_by_hand_tells_the_assignee_unless_they_did_it(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let it = world.begin("c-1").await;
        world.assign("ana", &it, &ana).await.unwrap();
        for (by, told) in [("ana", 0), ("ben", 1)] {
            world.resolve(&it.conversation_id).await;
            let request = ReopenConversationRequest { conversation_id: it.conversation_id.clone(), etag: String::new() };
            let mut client = world.conversations(by, Role::Agent);
            let open = client.reopen_conversation(request.clone()).await.unwrap().into_inner().conversation.unwrap();
            assert_eq!(open.status(), ConversationStatus::Open);
            let again = client.reopen_conversation(request).await.unwrap().into_inner().conversation.unwrap();
            assert_eq!(again, open, "reopening an open one changes nothing");
            assert_eq!(world.told(told).await.len(), told);
        }
        assert_eq!(world.agent("ana").await.open_conversation_count, 1);
    }

    // R6
    async fn a_snoozed_conversation_comes_back_by_itself(engine) {
        let world = World::at_new_year(engine).await;
        let ana = world.agent("ana").await;
        let it = world.begin("c-1").await;
        world.assign("ana", &it, &ana).await.unwrap();
        let until = |seconds: i64| Some(prost_types::Timestamp { seconds: 1_767_225_600 + seconds, nanos: 0 });
        let request = |seconds| SnoozeConversationRequest {
            conversation_id: it.conversation_id.clone(),
            snooze_until_time: until(seconds),
            etag: String::new(),
        };
        let mut client = world.conversations("ana", Role::Agent);
        for wrong in [0, -5, 400 * 86_400] {
            assert_eq!(client.snooze_conversation(request(wrong)).await.unwrap_err().code(), Code::InvalidArgument);
        }
        let snoozed = client.snooze_conversation(request(600)).await.unwrap().into_inner().conversation.unwrap();
        assert_eq!((snoozed.status(), &snoozed.snooze_until_time), (ConversationStatus::Snoozed, &until(600)));
        assert_eq!(world.view("ana", InboxView::Snoozed).await.len(), 1);
        assert_eq!(world.agent("ana").await.open_conversation_count, 0);
        world.suite.hand().advance(Duration::from_secs(599));
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert_eq!(world.read(&it.conversation_id).await.status(), ConversationStatus::Snoozed);
        world.suite.hand().advance(Duration::from_secs(1));
        let told = world.told(1).await;
        assert_eq!(told[0].r#type(), NotificationType::Reopened);
        let open = world.read(&it.conversation_id).await;
        assert_eq!((open.status(), open.snooze_until_time), (ConversationStatus::Open, None));
        assert_eq!(world.agent("ana").await.open_conversation_count, 1);
    }

    // R6
    async fn a_resolved_conversation_cannot_be_snoozed(engine) {
        let world = World::at_new_year(engine).await;
        let it = world.begin("c-1").await;
        world.resolve(&it.conversation_id).await;
        let request = SnoozeConversationRequest {
            conversation_id: it.conversation_id,
            snooze_until_time: Some(prost_types::Timestamp { seconds: 1_767_225_700, nanos: 0 }),
            etag: String::new(),
        };
        let refused = world.conversations("ana", Role::Agent).snooze_conversation(request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, Some(ErrorReason::ConversationResolved)));
    }

    // P7
    async fn messages_are_read_page_by_page(engine) {
        let world = World::on(engine).await;
        for message in 1..=5 {
            world.record(inbound("c-1", &message.to_string())).await;
        }
        let it = world.view("ana", InboxView::All).await.remove(0).conversation.unwrap();
        let mut positions = Vec::new();
        let mut page_token = String::new();
        loop {
            let conversation_id = it.conversation_id.clone();
            let request = ListMessagesRequest { conversation_id, page_size: 2, page_token };
            let page = world.adapter().list_messages(request).await.unwrap().into_inner();
            positions.extend(page.messages.iter().map(|message| message.position));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(positions, [1, 2, 3, 4, 5]);
    }
}
