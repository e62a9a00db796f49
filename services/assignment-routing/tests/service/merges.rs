//! Conversations follow merges of contacts (C6).

use std::time::Duration;

use kernel::Role;
use proto::common::v1::EventDisposition;
use proto::common::v1::contact_event::Event;
use proto::common::v1::{ContactEvent, ContactMerged, ContactUnmerged};
use proto::routing::v1::contact_event_service_client::ContactEventServiceClient;
use proto::routing::v1::*;
use tonic::Code;

use crate::erasure::erase;
use crate::world::{World, inbound};

/// Two contacts of which the first is merged into the second.
struct Pair<'a> {
    world: &'a World,
    merge_id: String,
    from: String,
    into: String,
}

impl Pair<'_> {
    async fn merge(&self) -> EventDisposition {
        self.tell(Event::ContactMerged(ContactMerged {
            merge_id: self.merge_id.clone(),
            from_contact_id: self.from.clone(),
            into_contact_id: self.into.clone(),
        }))
        .await
    }

    async fn unmerge(&self) -> EventDisposition {
        self.tell(Event::ContactUnmerged(ContactUnmerged {
            merge_id: self.merge_id.clone(),
            from_contact_id: self.from.clone(),
            into_contact_id: self.into.clone(),
        }))
        .await
    }

    async fn tell(&self, event: Event) -> EventDisposition {
        let event = ContactEvent {
            event_id: self.world.request_id(),
            occur_time: Some(prost_types::Timestamp::default()),
            event: Some(event),
        };
        let mut events = ContactEventServiceClient::new(self.world.client("contacts", Role::Service));
        let request = ApplyContactEventsRequest { events: vec![event] };
        events.apply_contact_events(request).await.unwrap().into_inner().outcomes[0].disposition()
    }

    /// The conversations of a contact, as people inside list them.
    async fn conversations(&self, contact_id: &str) -> usize {
        let request = ListConversationsRequest {
            view: InboxView::Any.into(),
            contact_id: contact_id.to_owned(),
            ..Default::default()
        };
        let mut conversations = self.world.conversations("ana", Role::Agent);
        conversations.list_conversations(request).await.unwrap().into_inner().entries.len()
    }
}

/// The conversation once it is this contact's.
async fn is_with(world: &World, id: &str, contact_id: &str) -> Conversation {
    for _ in 0..400 {
        let it = world.read(id).await;
        if it.contact_id == contact_id {
            return it;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the conversation never changes hands");
}

testkit::on_both_databases! {
    // C6
    async fn the_conversations_of_a_contact_follow_a_merge_and_return(engine) {
        let world = World::on(engine).await;
        let (first, second) = (world.begin("c-1").await, world.begin("c-2").await);
        let pair = Pair {
            world: &world,
            merge_id: world.request_id(),
            from: first.contact_id.clone(),
            into: second.contact_id.clone(),
        };
        assert_eq!(pair.merge().await, EventDisposition::Applied);
        let moved = is_with(&world, &first.conversation_id, &pair.into).await;
        assert_ne!(moved.etag, first.etag);
        assert_eq!(moved.first_contact_id, pair.from);
        for contact_id in [&pair.from, &pair.into] {
            assert_eq!(pair.conversations(contact_id).await, 2, "by either id");
        }
        // Contacts answered before it heard of the merge: the message comes under the old id.
        let late = RecordMessageRequest { contact_address: "customer-c-1".into(), ..inbound("c-3", "1") };
        let late = world.record(late).await.conversation.unwrap();
        assert_eq!((&late.contact_id, &late.first_contact_id), (&pair.into, &pair.from));
        assert_eq!(pair.conversations(&pair.into).await, 3);

        assert_eq!(pair.unmerge().await, EventDisposition::Applied);
        for it in [&first, &late] {
            let back = is_with(&world, &it.conversation_id, &pair.from).await;
            assert_eq!(back.first_contact_id, "");
        }
        assert_eq!((pair.conversations(&pair.from).await, pair.conversations(&pair.into).await), (2, 1));
    }

    // C6 R4 P12
    async fn a_conversation_begun_from_an_address_that_returns_returns_with_it(engine) {
        let world = World::on(engine).await;
        let (first, second) = (world.begin("c-1").await, world.begin("c-2").await);
        let pair = Pair {
            world: &world,
            merge_id: world.request_id(),
            from: first.contact_id.clone(),
            into: second.contact_id.clone(),
        };
        let writes = |message: &str, address: &str| RecordMessageRequest {
            contact_address: address.to_owned(),
            text: format!("from {address}"),
            ..inbound(&format!("c-{address}"), message)
        };
        let begin = async |address: &str| world.record(writes("1", address)).await.conversation.unwrap();
        world.contacts.merge("customer-c-1", Some("customer-c-2"));
        // Contacts knows of the merge, and this service does not yet.
        let unheard = world.record(RecordMessageRequest { contact_address: "customer-c-1".into(), ..inbound("c-0", "1") });
        let unheard = unheard.await.conversation.unwrap();
        pair.merge().await;
        is_with(&world, &first.conversation_id, &pair.into).await;
        let (theirs, own) = (begin("customer-c-1").await, begin("customer-c-2").await);
        assert_eq!((&theirs.contact_id, &theirs.first_contact_id), (&pair.into, &pair.from));
        assert_eq!((&own.contact_id, own.first_contact_id.as_str()), (&pair.into, ""));
        is_with(&world, &unheard.conversation_id, &pair.into).await;
        assert_eq!(pair.conversations(&pair.into).await, 5);
        let mut reader = world.conversations(&pair.into, Role::Contact);
        let messages = |id: &str| ListMessagesRequest { conversation_id: id.to_owned(), ..Default::default() };
        assert_eq!(reader.list_messages(messages(&theirs.conversation_id)).await.unwrap().into_inner().messages.len(), 1);

        world.contacts.merge("customer-c-1", None);
        pair.unmerge().await;
        for id in [&first.conversation_id, &unheard.conversation_id, &theirs.conversation_id] {
            assert_eq!(is_with(&world, id, &pair.from).await.first_contact_id, "");
        }
        let again = world.record(writes("2", "customer-c-1")).await.conversation.unwrap();
        assert_eq!((&again.conversation_id, &again.contact_id), (&theirs.conversation_id, &pair.from));
        let refused = reader.list_messages(messages(&theirs.conversation_id)).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound, "one customer never reads another's messages");
        assert_eq!(is_with(&world, &own.conversation_id, &pair.into).await.message_count, 1);
        assert_eq!((pair.conversations(&pair.from).await, pair.conversations(&pair.into).await), (3, 2));
        let removed = erase(&world, &world.request_id(), &[&pair.from]).await;
        assert!(removed.contains(&("conversations".to_owned(), 3)), "{removed:?}");
        let gone = GetConversationRequest { conversation_id: theirs.conversation_id };
        let mut ana = world.conversations("ana", Role::Agent);
        assert_eq!(ana.get_conversation(gone).await.unwrap_err().code(), Code::NotFound);
    }

    // C6 R4
    async fn a_contact_who_was_merged_sees_what_is_theirs_by_now(engine) {
        let world = World::on(engine).await;
        let (first, second) = (world.begin("c-1").await, world.begin("c-2").await);
        let pair = Pair {
            world: &world,
            merge_id: world.request_id(),
            from: first.contact_id.clone(),
            into: second.contact_id.clone(),
        };
        let mut own = world.conversations(&pair.from, Role::Contact);
        let get = |it: &Conversation| GetConversationRequest { conversation_id: it.conversation_id.clone() };
        assert_eq!(own.get_conversation(get(&second)).await.unwrap_err().code(), Code::NotFound);
        pair.merge().await;
        is_with(&world, &first.conversation_id, &pair.into).await;
        for it in [&first, &second] {
            let seen = own.get_conversation(get(it)).await.unwrap().into_inner().conversation.unwrap();
            assert_eq!((seen.contact_id, seen.first_contact_id), (pair.into.clone(), String::new()));
        }
        for contact_id in [String::new(), pair.from.clone(), pair.into.clone()] {
            let list = ListConversationsRequest { contact_id, ..Default::default() };
            assert_eq!(own.list_conversations(list).await.unwrap().into_inner().entries.len(), 2);
        }
        let messages = ListMessagesRequest { conversation_id: first.conversation_id.clone(), ..Default::default() };
        assert_eq!(own.list_messages(messages).await.unwrap().into_inner().messages.len(), 1);
        pair.unmerge().await;
        is_with(&world, &first.conversation_id, &pair.from).await;
        assert_eq!(own.get_conversation(get(&second)).await.unwrap_err().code(), Code::NotFound);
        assert!(own.get_conversation(get(&first)).await.is_ok());
    }
}
