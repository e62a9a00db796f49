//! What a customer sees with a token of their own: their conversations and messages, and nothing of the work on them.

use kernel::Role;
use proto::common::v1::{Actor, ErrorReason};
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, inbound, outbound, refusal};

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
        for view in [InboxView::Mine, InboxView::Unassigned, InboxView::Team, InboxView::Mentioned, InboxView::Unread] {
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
}
