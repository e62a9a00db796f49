//! C8: contacts is told when a conversation with one begins, is resolved and opens again, and by whom; nothing else.

use kernel::Role;
use proto::common::v1::Role as Said;
use proto::contacts::v1::ActivityEvent;
use proto::contacts::v1::activity_event::Event;
use proto::routing::v1::*;

use crate::world::{World, inbound};

/// What happened and who did it, and the conversation.
fn told(event: &ActivityEvent) -> (&'static str, &str, &str) {
    let by = event.actor.as_ref().map_or("", |actor| actor.subject.as_str());
    match event.event.as_ref().unwrap() {
        Event::ConversationOpened(it) => ("opened", by, &it.conversation_id),
        Event::ConversationResolved(it) => ("resolved", by, &it.conversation_id),
        Event::ConversationReopened(it) => ("reopened", by, &it.conversation_id),
        Event::NoteWritten(_) => ("note", by, ""),
    }
}

testkit::on_both_databases! {
    // C8
    async fn what_happens_to_a_conversation_is_told_around_its_contact(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        let id = it.conversation_id.as_str();
        let mut ana = world.conversations("ana", Role::Agent);
        let resolve = ResolveConversationRequest { conversation_id: id.to_owned(), etag: String::new() };
        let reopen = ReopenConversationRequest { conversation_id: id.to_owned(), etag: String::new() };
        ana.resolve_conversation(resolve.clone()).await.unwrap();
        ana.resolve_conversation(resolve.clone()).await.unwrap();
        world.record(inbound("c-1", "2")).await;
        // Neither an ordinary message nor a nap is worth telling.
        world.record(inbound("c-1", "3")).await;
        let until = world.suite.clock().now().plus(std::time::Duration::from_secs(3_600));
        let snooze = SnoozeConversationRequest {
            conversation_id: id.to_owned(),
            snooze_until_time: Some(rpc::convert::proto_time(until)),
            etag: String::new(),
        };
        ana.snooze_conversation(snooze).await.unwrap();
        world.record(inbound("c-1", "4")).await;
        ana.resolve_conversation(resolve).await.unwrap();
        ana.reopen_conversation(reopen).await.unwrap();
        let last = world.begin("c-2").await;

        let events = world.contacts.around(6).await;
        assert_eq!(events.iter().map(told).collect::<Vec<_>>(), [
            ("opened", "", id),
            ("resolved", "ana", id),
            ("reopened", "", id),
            ("resolved", "ana", id),
            ("reopened", "ana", id),
            ("opened", "", last.conversation_id.as_str()),
        ]);
        assert!(events[..5].iter().all(|event| event.contact_id == it.contact_id));
        assert_eq!(events[1].actor.as_ref().unwrap().role(), Said::Agent);
        assert!(events.iter().all(|event| event.occur_time.is_some()));
        assert!(!format!("{events:?}").contains("bag"), "nothing of what was written");
        world.suite.stop().await;
    }

    // C8 C9
    async fn a_conversation_that_is_born_resolved_is_told_as_begun_and_resolved(engine) {
        let world = World::on(engine).await;
        world.contacts.block("customer-c-1", true);
        let it = world.begin("c-1").await;
        world.record(inbound("c-1", "2")).await;
        let last = world.begin("c-2").await;
        let events = world.contacts.around(3).await;
        let (id, last) = (it.conversation_id.as_str(), last.conversation_id.as_str());
        assert_eq!(
            events.iter().map(told).collect::<Vec<_>>(),
            [("opened", "", id), ("resolved", "", id), ("opened", "", last)]
        );
        world.suite.stop().await;
    }
}
