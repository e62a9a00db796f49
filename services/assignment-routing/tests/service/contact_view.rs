//! What a customer sees with a token of their own: their conversations and messages, and nothing of the work on them.

use std::time::Duration;

use kernel::Role;
use prost::Message as _;
use proto::common::v1::{Actor, ErrorReason};
use proto::routing::v1::assign_conversation_request::Target;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, inbound, outbound, refusal};

/// Whatever a contact can read of their conversation, byte for byte.
async fn all_of(world: &World, it: &Conversation) -> Vec<Vec<u8>> {
    let mut contact = world.conversations(&it.contact_id, Role::Contact);
    let conversation_id = it.conversation_id.clone();
    let get = GetConversationRequest { conversation_id: conversation_id.clone() };
    let messages = ListMessagesRequest { conversation_id, ..Default::default() };
    let mut all = vec![
        contact.get_conversation(get).await.unwrap().into_inner().encode_to_vec(),
        contact.list_messages(messages).await.unwrap().into_inner().encode_to_vec(),
    ];
    for view in [InboxView::Unspecified, InboxView::All, InboxView::Resolved] {
        let list = ListConversationsRequest { view: view.into(), ..Default::default() };
        all.push(contact.list_conversations(list).await.unwrap().into_inner().encode_to_vec());
    }
    all
}

testkit::on_both_databases! {
    // R4, N3
    async fn a_contact_reads_their_own_conversation_without_what_is_internal(engine) {
        let world = World::on(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("airline", &[&ana]).await;
        world.route("", &team).await;
        let it = world.record(RecordMessageRequest { tags: vec!["rude".into()], ..inbound("c-1", "1") }).await;
        let it = world.assigned(&it.conversation.unwrap().conversation_id).await;
        world.conversations("ana", Role::Agent).record_message(outbound("c-1", "2")).await.unwrap();
        let mut contact = world.conversations(&it.contact_id, Role::Contact);
        let id = it.conversation_id.clone();

        let read = GetConversationRequest { conversation_id: id.clone() };
        let seen = contact.get_conversation(read).await.unwrap().into_inner().conversation.unwrap();
        assert_eq!((seen.message_count, seen.status()), (2, ConversationStatus::Open));
        let hidden = Conversation {
            etag: String::new(),
            tags: vec![],
            priority: 0,
            assignee: None,
            team_id: String::new(),
            waiting_since_time: None,
            ..seen.clone()
        };
        assert_eq!(seen, hidden);

        let list = ListMessagesRequest { conversation_id: id, ..Default::default() };
        let messages = contact.list_messages(list).await.unwrap().into_inner().messages;
        let author = messages[1].author.clone().unwrap();
        assert_eq!(author, Actor { display_name: author.display_name.clone(), ..Actor::default() });

        let listed = contact.list_conversations(ListConversationsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.entries.len(), 1);
        assert!(!listed.entries[0].unread && !listed.entries[0].mentioned);
        assert_eq!(listed.entries[0].conversation.as_ref(), Some(&seen));
    }

    // P1, N3
    async fn a_contact_never_reads_the_conversation_of_another(engine) {
        let world = World::on(engine).await;
        let (one, other) = (world.begin("c-1").await, world.begin("c-2").await);
        let mut contact = world.conversations(&one.contact_id, Role::Contact);
        let foreign = GetConversationRequest { conversation_id: other.conversation_id.clone() };
        let foreign = contact.get_conversation(foreign).await.unwrap_err();
        let absent = contact.get_conversation(GetConversationRequest { conversation_id: world.request_id() }).await;
        let absent = absent.unwrap_err();
        assert_eq!(refusal(&foreign), (Code::NotFound, Some(ErrorReason::NotFound)));
        assert_eq!((foreign.message(), foreign.details()), (absent.message(), absent.details()));
        let messages = ListMessagesRequest { conversation_id: other.conversation_id.clone(), ..Default::default() };
        assert_eq!(contact.list_messages(messages).await.unwrap_err().code(), Code::NotFound);
        let by_id = ListConversationsRequest { contact_id: other.contact_id.clone(), ..Default::default() };
        assert!(contact.list_conversations(by_id).await.unwrap().into_inner().entries.is_empty());
        let by_external_id = ListConversationsRequest {
            external_id: "c-2".into(),
            channel: "chat".into(),
            ..Default::default()
        };
        assert!(contact.list_conversations(by_external_id).await.unwrap().into_inner().entries.is_empty());
        let mut nobody = world.conversations("not-a-contact", Role::Contact);
        assert!(nobody.list_conversations(ListConversationsRequest::default()).await.unwrap().into_inner().entries.is_empty());
    }

    // N3
    async fn a_contact_cannot_ask_how_their_conversations_are_worked_on(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        let mut contact = world.conversations(&it.contact_id, Role::Contact);
        for view in [InboxView::Mine, InboxView::Unassigned, InboxView::Team, InboxView::Mentioned, InboxView::Unread, InboxView::Snoozed] {
            let request = ListConversationsRequest { view: view.into(), ..Default::default() };
            assert_eq!(contact.list_conversations(request).await.unwrap_err().code(), Code::InvalidArgument, "{view:?}");
        }
        for sort in [ConversationSort::Priority, ConversationSort::LongestWaiting] {
            let request = ListConversationsRequest { sort: sort.into(), ..Default::default() };
            assert_eq!(contact.list_conversations(request).await.unwrap_err().code(), Code::InvalidArgument, "{sort:?}");
        }
    }

    // N3
    async fn nothing_that_notes_tell_changes_a_byte_of_what_a_contact_reads(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        let mut contact = world.conversations(&it.contact_id, Role::Contact);
        let read = || GetConversationRequest { conversation_id: it.conversation_id.clone() };
        let before = contact.get_conversation(read()).await.unwrap().into_inner();
        let listed_before = contact.list_conversations(ListConversationsRequest::default()).await.unwrap().into_inner();
        let inside_before = world.read(&it.conversation_id).await;
        crate::inbox::note(&world, &it, "ana").await;
        crate::inbox::mention(&world, &it, &["ben", "cem"]).await;
        assert_eq!(contact.get_conversation(read()).await.unwrap().into_inner(), before);
        let listed = contact.list_conversations(ListConversationsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed, listed_before);
        assert_eq!(world.read(&it.conversation_id).await, inside_before, "nor the etag");
    }

    // N3
    async fn no_change_of_how_it_is_worked_on_changes_a_byte_of_what_a_contact_reads(engine) {
        let world = World::at_new_year(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("airline", &[]).await;
        let it = world.begin("c-1").await;
        let mut agent = world.conversations("ana", Role::Agent);
        agent.record_message(outbound("c-1", "2")).await.unwrap();
        let before = all_of(&world, &it).await;
        let id = || it.conversation_id.clone();

        let tags = UpdateConversationRequest { conversation_id: id(), tags: vec!["rude".into()], ..Default::default() };
        agent.update_conversation(tags).await.unwrap();
        assert_eq!(all_of(&world, &it).await, before, "tagged");
        let priority = Priority::Urgent.into();
        let urgent = UpdateConversationRequest { conversation_id: id(), priority, ..Default::default() };
        agent.update_conversation(urgent).await.unwrap();
        assert_eq!(all_of(&world, &it).await, before, "more urgent");
        let queued = world.order("ana", &world.read(&it.conversation_id).await, Target::TeamId(team.team_id)).await;
        assert_eq!(all_of(&world, &it).await, before, "given to a team");
        world.assign("ana", &queued.unwrap(), &ana).await.unwrap();
        assert_eq!(all_of(&world, &it).await, before, "given to an agent");
        agent.mark_conversation_read(MarkConversationReadRequest { conversation_id: id() }).await.unwrap();
        assert_eq!(all_of(&world, &it).await, before, "read");

        let until = prost_types::Timestamp { seconds: 1_767_225_600 + 600, nanos: 0 };
        let snooze = SnoozeConversationRequest {
            conversation_id: id(),
            snooze_until_time: Some(until),
            etag: String::new(),
        };
        let snoozed = agent.snooze_conversation(snooze).await.unwrap().into_inner().conversation.unwrap();
        assert_eq!((snoozed.status(), snoozed.snooze_until_time), (ConversationStatus::Snoozed, Some(until)));
        assert_eq!(all_of(&world, &it).await, before, "put aside");
        let mut contact = world.conversations(&it.contact_id, Role::Contact);
        let seen = contact.get_conversation(GetConversationRequest { conversation_id: id() }).await.unwrap();
        assert_eq!(seen.into_inner().conversation.unwrap().status(), ConversationStatus::Open);
        let all = ListConversationsRequest { view: InboxView::All.into(), ..Default::default() };
        assert_eq!(contact.list_conversations(all).await.unwrap().into_inner().entries.len(), 1);
        world.suite.hand().advance(Duration::from_secs(601));
        world.told(1).await;
        assert_eq!(world.read(&it.conversation_id).await.status(), ConversationStatus::Open);
        assert_eq!(all_of(&world, &it).await, before, "opened again");
    }
}
