//! What happens in all services reaches the webhooks that want to know, in order, without what is private unless they asked for it.

mod receiver;

use std::collections::BTreeMap;

use kernel::Role;
use proto::contacts::v1 as customers;
use proto::notes::v1 as notes;
use proto::notifications::v1 as pb;
use proto::notifications::v1::WebhookEventType as Type;
use proto::routing::v1 as routing;
use serde_json::Value;
use suite::client::Session;
use testkit::Engine;

use self::receiver::{Received, Receiver};
use crate::cast::{assigned, customer_writes, eventually, message, route, team};
use crate::contact_notes::note_on_contact;
use crate::privacy::note_on;
use crate::world::World;

/// In what is private, and nowhere else.
const CANARY: &str = "canary-3b77";

/// Webhooks on this machine, without TLS.
const HERE: [(&str, &str); 2] = [
    ("BACKCHANNEL_NOTIFICATIONS__EGRESS__ALLOW_PRIVATE_ADDRESSES", "true"),
    ("BACKCHANNEL_NOTIFICATIONS__EGRESS__ALLOW_HTTP", "true"),
];

/// Every type there is.
fn all() -> Vec<i32> {
    (1..).map_while(|number| Type::try_from(number).ok()).map(Into::into).collect()
}

async fn webhook(admin: &Session, url: &str, event_types: Vec<i32>, include_private: bool) {
    let request =
        pb::CreateWebhookRequest { url: url.to_owned(), event_types, include_private, ..Default::default() };
    admin.webhooks().create_webhook(request).await.unwrap();
}

/// The types of what was received of each object, in the order in which it came.
fn by_object<'a>(all: &'a [Received], object: &str) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut types: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for it in all {
        if let Some(id) = it.body["data"][object].as_str() {
            types.entry(id).or_default().push(it.kind());
        }
    }
    types
}

async fn contact(admin: &Session, name: &str) -> customers::Contact {
    let profile = customers::ContactProfile { display_name: name.to_owned(), ..Default::default() };
    let request = customers::CreateContactRequest { profile: Some(profile), ..Default::default() };
    admin.contacts().create_contact(request).await.unwrap().into_inner().contact.unwrap()
}

/// A conversation comes in, is worked on, noted down, resolved, and opened by its customer again.
async fn work(world: &World) -> routing::Conversation {
    let team = team(world, "flights", &["ana"]).await;
    route(world, "airline", &team.team_id, vec![]).await;
    let recorded = customer_writes(world, message("airline", "w-1", 0, "hello")).await;
    let conversation = assigned(world, &recorded.conversation.unwrap().conversation_id).await;
    let ana = &team.agents[0].api;
    let note = note_on(ana, &conversation.conversation_id, &format!("{CANARY} first")).await;
    let edit = notes::UpdateNoteRequest {
        note_id: note.note_id,
        body: format!("{CANARY} second"),
        ..Default::default()
    };
    ana.notes().update_note(edit).await.unwrap();
    let on_contact = format!("{CANARY} known for it");
    let on_contact =
        note_on_contact(ana, &conversation.contact_id, &conversation.conversation_id, &on_contact).await;
    let delete = notes::DeleteNoteRequest { note_id: on_contact.note_id, ..Default::default() };
    ana.notes().delete_note(delete).await.unwrap();
    let resolve = routing::ResolveConversationRequest {
        conversation_id: conversation.conversation_id.clone(),
        ..Default::default()
    };
    ana.conversations().resolve_conversation(resolve).await.unwrap();
    customer_writes(world, message("airline", "w-1", 1, "once more")).await;
    conversation
}

/// Contacts are changed, merged and parted: the one that was gone for a while, and the other.
async fn keep(admin: &Session) -> [customers::Contact; 2] {
    let [gone, stays] = [contact(admin, "Gone").await.contact_id, contact(admin, "Stays").await.contact_id];
    let tag = customers::TagContactRequest {
        contact_id: gone.clone(),
        add: vec!["vip".to_owned()],
        ..Default::default()
    };
    admin.contacts().tag_contact(tag).await.unwrap();
    let merge = customers::MergeContactsRequest {
        from_contact_id: gone.clone(),
        into_contact_id: stays.clone(),
        ..Default::default()
    };
    let merged = admin.merges().merge_contacts(merge).await.unwrap().into_inner().merge.unwrap();
    let part = customers::UnmergeContactsRequest { merge_id: merged.merge_id, ..Default::default() };
    let parted = admin.merges().unmerge_contacts(part).await.unwrap().into_inner();
    [parted.from.unwrap(), parted.into.unwrap()]
}

/// Everything that was received, once this is among it.
async fn arrived(at: &Receiver, kinds: &[&str]) -> Vec<Received> {
    eventually("all of it arrived", || async {
        let received = at.received();
        kinds.iter().all(|kind| received.iter().any(|it| it.kind() == *kind)).then_some(received)
    })
    .await
}

testkit::on_both_databases! {
    // D8
    async fn what_happens_anywhere_reaches_who_wants_it_in_the_order_of_each_object(engine) {
        let world = World::four_processes_with(engine, &HERE).await;
        let admin = world.as_one("admin", Role::Admin);
        let (public, private) = (Receiver::open().await, Receiver::open().await);
        webhook(&admin, &public.url, all(), false).await;
        let told_of = [Type::NoteCreated, Type::NoteUpdated].map(Into::into).to_vec();
        webhook(&admin, &private.url, told_of, true).await;

        let conversation = work(&world).await;
        let [gone, stays] = keep(&admin).await;
        // What was not told yet of a contact goes when it is erased.
        arrived(&public, &["contact.unmerged"]).await;
        let erase = customers::EraseContactRequest {
            contact_id: gone.contact_id.clone(),
            etag: gone.etag,
            ..Default::default()
        };
        admin.erasures().erase_contact(erase).await.unwrap();
        let last = ["contact.erased", "conversation.reopened", "note.deleted", "note.updated"];
        let received = arrived(&public, &last).await;

        let of_conversations = by_object(&received, "conversation_id");
        let happened: Vec<&str> = of_conversations[conversation.conversation_id.as_str()]
            .iter()
            .filter(|kind| kind.starts_with("conversation."))
            .copied()
            .collect();
        let expected = ["created", "queued", "assigned", "resolved", "reopened"];
        assert_eq!(happened, expected.map(|kind| format!("conversation.{kind}")));
        let of_notes = by_object(&received, "note_id");
        let mut of_notes: Vec<_> = of_notes.into_values().collect();
        of_notes.sort();
        assert_eq!(of_notes, [["note.created", "note.deleted"], ["note.created", "note.updated"]]);
        let of_contacts = by_object(&received, "contact_id");
        let of = |id: &str| -> Vec<&str> {
            of_contacts[id].iter().filter(|kind| kind.starts_with("contact.")).copied().collect()
        };
        let expected = ["created", "updated", "merged", "unmerged", "erased"];
        assert_eq!(of(&gone.contact_id), expected.map(|kind| format!("contact.{kind}")));
        assert_eq!(of(&stays.contact_id), ["contact.created"]);
        assert_eq!(of(&conversation.contact_id), ["contact.created"]);

        let merged = received.iter().find(|it| it.kind() == "contact.merged").unwrap();
        assert_eq!(merged.body["data"]["into_contact_id"], Value::from(stays.contact_id));
        assert_eq!(merged.body["data"]["actor"]["role"], Value::from("admin"));
        assert!(received.iter().all(|it| !it.body.to_string().contains(CANARY)), "private text by default");

        let told = eventually("what the notes say arrived", || async {
            Some(private.received()).filter(|received| received.len() >= 3)
        })
        .await;
        let mut said: Vec<_> = told.iter().map(|it| it.body["data"]["private_text"].to_string()).collect();
        said.sort();
        assert_eq!(said, ["first", "known for it", "second"].map(|text| format!("\"{CANARY} {text}\"")));
        world.stop().await;
    }
}

// D8: a service learns within seconds that somebody listens, though nobody did when it asked first.
#[test]
fn a_webhook_that_is_made_later_is_told_what_happens_half_a_minute_after() {
    testkit::run(async {
        let world = World::four_processes_with(Engine::Sqlite, &HERE).await;
        let admin = world.as_one("admin", Role::Admin);
        // Now contacts knows that nobody listens.
        contact(&admin, "Early").await;
        let receiver = Receiver::open().await;
        webhook(&admin, &receiver.url, vec![Type::ContactCreated.into()], false).await;
        eventually("somebody is told of a new contact", || async {
            contact(&admin, "Later").await;
            receiver.received().pop()
        })
        .await;
        world.stop().await;
    });
}

// D8, fault 14: what cannot be told at once is told later.
#[test]
fn what_happens_while_notifications_is_away_is_told_when_it_is_back() {
    testkit::run(async {
        let mut world = World::four_processes_with(Engine::Sqlite, &HERE).await;
        let admin = world.as_one("admin", Role::Admin);
        let receiver = Receiver::open().await;
        webhook(&admin, &receiver.url, vec![Type::ContactCreated.into()], false).await;
        world.process("notifications").kill().await;
        let mut made = Vec::new();
        for number in 0..5 {
            made.push(contact(&admin, &format!("Contact {number}")).await.contact_id);
        }
        world.process("notifications").restart().await;
        let told = eventually("all are told", || async {
            Some(receiver.received()).filter(|received| received.len() >= made.len())
        })
        .await;
        let mut told: Vec<String> =
            told.iter().map(|it| it.body["data"]["contact_id"].as_str().unwrap().to_owned()).collect();
        told.sort();
        told.dedup();
        made.sort();
        assert_eq!(told, made);
        world.stop().await;
    });
}
