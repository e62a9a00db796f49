//! Two customers turn out to be one person, and then not: their conversations and notes go together and part again.

use kernel::Role;
use prost::Message;
use proto::contacts::v1 as customers;
use proto::notes::v1 as notes;
use proto::routing::v1 as pb;
use suite::client::Session;

use crate::cast::{assigned, customer_writes, eventually, message, route, team};
use crate::contact_notes::note_on_contact;
use crate::world::{World, in_every_shape};

/// What everybody inside sees of a contact.
#[derive(Debug, PartialEq)]
struct Seen {
    conversations: Vec<String>,
    notes: Vec<String>,
    found: Vec<String>,
}

async fn seen(api: &Session, contact_id: &str) -> Seen {
    let list = pb::ListConversationsRequest {
        view: pb::InboxView::Any.into(),
        contact_id: contact_id.to_owned(),
        ..Default::default()
    };
    let entries = api.conversations().list_conversations(list).await.unwrap().into_inner().entries;
    let mut conversations: Vec<_> =
        entries.into_iter().map(|entry| entry.conversation.unwrap().external_id).collect();
    conversations.sort();
    let list = notes::ListContactNotesRequest { contact_id: contact_id.to_owned(), ..Default::default() };
    let listed = api.contact_notes().list_contact_notes(list).await.unwrap().into_inner().notes;
    let search = notes::SearchNotesRequest { contact_id: contact_id.to_owned(), ..Default::default() };
    let hits = api.note_search().search_notes(search).await.unwrap().into_inner().hits;
    let mut found: Vec<_> = hits.into_iter().map(|hit| hit.snippet.unwrap().text).collect();
    found.sort();
    Seen { conversations, notes: listed.into_iter().map(|note| note.body).collect(), found }
}

async fn until(api: &Session, contact_id: &str, expected: &Seen) {
    eventually("everything is where it belongs", || async {
        let seen = seen(api, contact_id).await;
        (seen == *expected).then_some(())
    })
    .await;
}

fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(|text| (*text).to_owned()).collect()
}

fn what(conversations: &[&str], notes: &[&str], found: &[&str]) -> Seen {
    Seen { conversations: texts(conversations), notes: texts(notes), found: texts(found) }
}

async fn read(api: &Session, contact_id: &str) -> customers::Contact {
    let request = customers::GetContactRequest { contact_id: contact_id.to_owned() };
    api.contacts().get_contact(request).await.unwrap().into_inner().contact.unwrap()
}

/// A contact on the wire, but for when it changed last and its etag.
async fn bytes(api: &Session, contact_id: &str) -> Vec<u8> {
    let contact = read(api, contact_id).await;
    customers::Contact { etag: String::new(), update_time: None, ..contact }.encode_to_vec()
}

async fn write_note(api: &Session, conversation: &pb::Conversation, body: &str) -> notes::Note {
    let request = notes::CreateNoteRequest {
        conversation_id: conversation.conversation_id.clone(),
        body: body.to_owned(),
        ..Default::default()
    };
    api.notes().create_note(request).await.unwrap().into_inner().note.unwrap()
}

in_every_shape! {
    // C6
    async fn a_merge_takes_conversations_and_notes_along_and_its_end_brings_them_back(world: World) {
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let mut conversations = Vec::new();
        for external_id in ["m-1", "m-2"] {
            let recorded = customer_writes(&world, message("airline", external_id, 0, "hello")).await;
            conversations.push(assigned(&world, &recorded.conversation.unwrap().conversation_id).await);
        }
        let api = &team.agents[0].api;
        let (from, into) = (conversations[0].contact_id.clone(), conversations[1].contact_id.clone());
        for (conversation, body) in conversations.iter().zip(["of one", "of two"]) {
            note_on_contact(api, &conversation.contact_id, &conversation.conversation_id, body).await;
        }
        write_note(api, &conversations[0], "in one").await;
        let (one, two) = (bytes(api, &from).await, bytes(api, &into).await);
        until(api, &from, &what(&["m-1"], &["of one"], &["in one", "of one"])).await;
        until(api, &into, &what(&["m-2"], &["of two"], &["of two"])).await;

        let request = customers::MergeContactsRequest {
            from_contact_id: from.clone(),
            into_contact_id: into.clone(),
            ..Default::default()
        };
        let merged = api.merges().merge_contacts(request).await.unwrap().into_inner();
        let together = what(&["m-1", "m-2"], &["of one", "of two"], &["in one", "of one", "of two"]);
        until(api, &into, &together).await;
        until(api, &from, &together).await;
        assert_eq!(read(api, &from).await, merged.contact.unwrap());
        // The customer's own token is still good, and shows what is theirs by now.
        let own = world.as_one(&from, Role::Contact);
        for conversation in &conversations {
            let get = pb::GetConversationRequest { conversation_id: conversation.conversation_id.clone() };
            let seen = own.conversations().get_conversation(get).await.unwrap().into_inner();
            assert_eq!(seen.conversation.unwrap().contact_id, into);
        }
        // Written since: in a conversation that moved, and in one that the same customer begins now.
        write_note(api, &conversations[0], "since").await;
        let again = pb::RecordMessageRequest {
            contact_address: "customer-of-m-1".into(),
            ..message("airline", "m-3", 0, "me again")
        };
        let third = customer_writes(&world, again.clone()).await.conversation.unwrap();
        assert_eq!(third.contact_id, into);
        write_note(api, &third, "in three").await;
        let other = pb::RecordMessageRequest {
            contact_address: "customer-of-m-2".into(),
            ..message("airline", "m-4", 0, "me, too")
        };
        customer_writes(&world, other).await;
        until(
            api,
            &into,
            &what(
                &["m-1", "m-2", "m-3", "m-4"],
                &["of one", "of two"],
                &["in one", "in three", "of one", "of two", "since"],
            ),
        )
        .await;

        let unmerge = customers::UnmergeContactsRequest {
            merge_id: merged.merge.unwrap().merge_id,
            ..Default::default()
        };
        let parted = api.merges().unmerge_contacts(unmerge).await.unwrap().into_inner();
        assert_eq!(parted.left_out, Vec::<String>::new());
        let found = ["in one", "in three", "of one", "since"];
        until(api, &from, &what(&["m-1", "m-3"], &["of one"], &found)).await;
        until(api, &into, &what(&["m-2", "m-4"], &["of two"], &["of two"])).await;
        // The address returned, and what was begun from it: the other is told nothing of what comes there.
        let private = pb::RecordMessageRequest { external_id: "m-3/private".into(), text: "private".into(), ..again };
        assert_eq!(customer_writes(&world, private).await.conversation.unwrap().contact_id, from);
        let other = world.as_one(&into, Role::Contact);
        let list = pb::ListMessagesRequest { conversation_id: third.conversation_id, ..Default::default() };
        assert_eq!(other.conversations().list_messages(list).await.unwrap_err().code(), tonic::Code::NotFound);
        assert_eq!((bytes(api, &from).await, bytes(api, &into).await), (one, two));
        let get = pb::GetConversationRequest { conversation_id: conversations[1].conversation_id.clone() };
        assert_eq!(own.conversations().get_conversation(get).await.unwrap_err().code(), tonic::Code::NotFound);
        world.stop().await;
    }
}
