//! A customer who is blocked writes on, and nobody is called for it.

use kernel::Role;
use proto::contacts::v1 as contacts;
use proto::routing::v1 as pb;

use crate::cast::{Ear, assigned, customer_writes, eventually, message, route, team};
use crate::world::{World, in_every_shape};

async fn read(world: &World, conversation_id: &str) -> pb::Conversation {
    let request = pb::GetConversationRequest { conversation_id: conversation_id.to_owned() };
    let api = world.as_one("supervisor", Role::Supervisor);
    api.conversations().get_conversation(request).await.unwrap().into_inner().conversation.unwrap()
}

/// What happened around a contact, oldest first, once so much has.
async fn activity(world: &World, contact_id: &str, count: usize) -> Vec<contacts::ActivityKind> {
    let api = world.as_one("supervisor", Role::Supervisor);
    eventually("everything around the contact is listed", || async {
        let request =
            contacts::ListContactActivityRequest { contact_id: contact_id.to_owned(), ..Default::default() };
        let all = api.activities().list_contact_activity(request).await.unwrap().into_inner().activities;
        let kinds: Vec<_> = all.iter().rev().map(contacts::Activity::kind).collect();
        (kinds.len() >= count).then_some(kinds)
    })
    .await
}

in_every_shape! {
    // C9 C8
    async fn a_blocked_customer_calls_nobody_until_they_are_unblocked(world: World) {
        let team = team(&world, "flights", &["ana"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let ana = &team.agents[0];
        let mut ear = Ear::open(&ana.api).await;
        let first = customer_writes(&world, message("airline", "b-1", 0, "hello")).await.conversation.unwrap();
        let first = assigned(&world, &first.conversation_id).await;
        assert_eq!(ear.hears().await.conversation_id, first.conversation_id);
        let resolve = pb::ResolveConversationRequest { conversation_id: first.conversation_id.clone(), etag: String::new() };
        ana.api.conversations().resolve_conversation(resolve).await.unwrap();
        let contact_id = first.contact_id.clone();
        let block = contacts::BlockContactRequest { contact_id: contact_id.clone(), reason: "insults".into() };
        assert!(ana.api.blocks().block_contact(block).await.unwrap().into_inner().contact.unwrap().blocked);

        // To the old conversation, and in a new one.
        let again = customer_writes(&world, message("airline", "b-1", 1, "again")).await.conversation.unwrap();
        assert_eq!((again.status(), again.message_count), (pb::ConversationStatus::Resolved, 2));
        let anew = pb::RecordMessageRequest {
            contact_address: "customer-of-b-1".into(),
            ..message("airline", "b-2", 0, "and anew")
        };
        let born = customer_writes(&world, anew).await.conversation.unwrap();
        assert_eq!((born.status(), &born.contact_id), (pb::ConversationStatus::Resolved, &contact_id));
        assert_eq!((&born.assignee, born.team_id.as_str()), (&None, ""));

        // The next thing that anybody hears of is somebody else's.
        let other = customer_writes(&world, message("airline", "b-3", 0, "me too")).await.conversation.unwrap();
        assert_eq!(ear.hears().await.conversation_id, other.conversation_id);
        let unread = pb::ListConversationsRequest { view: pb::InboxView::Unread.into(), ..Default::default() };
        let unread = ana.api.conversations().list_conversations(unread).await.unwrap().into_inner().entries;
        let unread: Vec<_> = unread.iter().map(|entry| &entry.conversation.as_ref().unwrap().conversation_id).collect();
        assert_eq!(unread, [&other.conversation_id]);
        assert_eq!(read(&world, &born.conversation_id).await, born);

        let unblock = contacts::UnblockContactRequest { contact_id: contact_id.clone() };
        ana.api.blocks().unblock_contact(unblock).await.unwrap();
        let heard = customer_writes(&world, message("airline", "b-1", 2, "sorry")).await.conversation.unwrap();
        assert_eq!(heard.status(), pb::ConversationStatus::Open);
        assert_eq!(ear.hears().await.conversation_id, first.conversation_id);
        assert_eq!(read(&world, &born.conversation_id).await.status(), pb::ConversationStatus::Resolved);

        use proto::contacts::v1::ActivityKind::{
            Blocked, ConversationOpened, ConversationReopened, ConversationResolved, Created, Unblocked,
        };
        assert_eq!(activity(&world, &contact_id, 8).await, [
            Created, ConversationOpened, ConversationResolved, Blocked, ConversationOpened, ConversationResolved,
            Unblocked, ConversationReopened,
        ]);
        world.stop().await;
    }
}
