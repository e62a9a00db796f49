//! A help desk gives up its own tables: what it knows of its customers is here, and what its people say about them.

use std::time::Duration;

use kernel::Role;
use proto::common::v1::{ErrorReason, StreamStart, stream_start};
use proto::contacts::v1 as contacts;
use proto::notes::v1 as notes;
use proto::routing::v1::GetMyAgentRequest;
use suite::client::Session;
use tonic::{Code, Streaming};

use crate::cast::{customer_writes, eventually, message};
use crate::internal_messages::tell;
use crate::privacy::note_on;
use crate::world::{World, in_every_shape};

/// A contact as the desk had it.
fn profile() -> contacts::ContactProfile {
    contacts::ContactProfile {
        display_name: "Zoë Ångström 👩🏽‍💻".into(),
        given_name: "محمد".into(),
        family_name: "Ångström".into(),
        emails: vec!["Zoe@Example.org".into(), "zoe.work@example.org".into()],
        phones: vec!["+49 (0)89 123-456".into()],
        external_id: "crm/4711".into(),
        language: "sv".into(),
        time_zone: "Europe/Stockholm".into(),
        default_channel: "email".into(),
        company: "株式会社アクメ".into(),
        location: "São Paulo".into(),
        ..Default::default()
    }
}

/// An attribute `plan`, of which there are two.
async fn define_plan(admin: &Session) {
    let request = contacts::CreateAttributeDefinitionRequest {
        key: "plan".into(),
        display_name: "Plan".into(),
        r#type: contacts::AttributeType::Choice.into(),
        choices: vec!["basic".into(), "gold".into()],
        ..Default::default()
    };
    admin.attributes().create_attribute_definition(request).await.unwrap();
}

fn plan(of: &str) -> contacts::AttributeValue {
    contacts::AttributeValue {
        key: "plan".into(),
        value: Some(contacts::attribute_value::Value::Choice(of.into())),
    }
}

async fn found(by: &Session, request: contacts::SearchContactsRequest) -> Vec<String> {
    let hits = by.contact_searches().search_contacts(request).await.unwrap().into_inner().hits;
    hits.into_iter().map(|hit| hit.contact.unwrap().contact_id).collect()
}

/// The next change of the notes that are watched.
async fn change(stream: &mut Streaming<notes::WatchNotesResponse>) -> notes::NoteChange {
    loop {
        let next = tokio::time::timeout(Duration::from_secs(30), stream.message()).await.unwrap().unwrap();
        if let Some(notes::watch_notes_response::Frame::Change(change)) = next.unwrap().frame {
            return change;
        }
    }
}

in_every_shape! {
    // C1 C3 C4 C5 P11
    async fn a_desk_keeps_its_customers_here_and_finds_them_by_all_that_it_knows(world: World) {
        let (admin, ana) = (world.as_one("admin", Role::Admin), world.as_one("ana", Role::Agent));
        define_plan(&admin).await;
        let request = contacts::CreateContactRequest { profile: Some(profile()), ..Default::default() };
        let made = ana.contacts().create_contact(request).await.unwrap().into_inner().contact.unwrap();
        let id = made.contact_id.clone();
        assert_eq!((made.display_name.as_str(), made.given_name.as_str()), ("Zoë Ångström 👩🏽‍💻", "محمد"));
        assert_eq!((made.language.as_str(), made.default_channel.as_str()), ("sv", "email"));
        assert_eq!(made.phones, ["+4989123456"]);

        let set = |value| contacts::SetContactAttributesRequest {
            contact_id: id.clone(),
            set: vec![value],
            ..Default::default()
        };
        let refused = ana.attributes().set_contact_attributes(set(plan("platinum"))).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        ana.attributes().set_contact_attributes(set(plan("gold"))).await.unwrap();
        let tag = contacts::TagContactRequest { contact_id: id.clone(), add: vec!["vip".into()], ..Default::default() };
        ana.contacts().tag_contact(tag).await.unwrap();

        for words in ["ångstr", "angstrom zoe", "zoe.work@", "89 123456", "アクメ", "crm/4711"] {
            let request = contacts::SearchContactsRequest { query: words.into(), ..Default::default() };
            assert_eq!(found(&ana, request).await, [id.as_str()], "{words}");
        }
        let narrowed = |of: &str, tag: &str| contacts::SearchContactsRequest {
            attributes: vec![plan(of)],
            tags: vec![tag.into()],
            ..Default::default()
        };
        assert_eq!(found(&ana, narrowed("gold", "vip")).await, [id.as_str()]);
        assert_eq!(found(&ana, narrowed("basic", "vip")).await, Vec::<String>::new());
        assert_eq!(found(&ana, narrowed("gold", "vap")).await, Vec::<String>::new());

        let settings = || contacts::GetSettingsRequest {};
        let first = admin.contacts_admin().get_settings(settings()).await.unwrap().into_inner().settings.unwrap();
        let change = contacts::UpdateSettingsRequest { activity_retention_days: 90, ..Default::default() };
        admin.contacts_admin().update_settings(change.clone()).await.unwrap();
        let now = admin.contacts_admin().get_settings(settings()).await.unwrap().into_inner().settings.unwrap();
        assert_eq!((first.activity_retention_days, now.activity_retention_days), (730, 90));
        assert_eq!(ana.contacts_admin().update_settings(change).await.unwrap_err().code(), Code::PermissionDenied);
        world.stop().await;
    }

    // N5 N8 N12 I7 P11
    async fn a_desk_keeps_its_notes_here_live_with_their_earlier_texts_and_finds_them(world: World) {
        let ana = world.as_one("ana", Role::Agent);
        let supervisor = world.as_one("supervisor", Role::Supervisor);
        let conversation = customer_writes(&world, message("airline", "d-1", 0, "hello")).await.conversation.unwrap();
        let id = conversation.conversation_id.as_str();
        let watch = notes::WatchNotesRequest {
            target: Some(notes::watch_notes_request::Target::ConversationId(id.to_owned())),
            start: Some(StreamStart { start: Some(stream_start::Start::Earliest(())) }),
        };
        let mut live = supervisor.note_watch().watch_notes(watch).await.unwrap().into_inner();

        let note = note_on(&ana, id, "the bag is in Zürich").await;
        assert_eq!(change(&mut live).await.note_id, note.note_id);
        let edit = notes::UpdateNoteRequest {
            note_id: note.note_id.clone(),
            body: "the bag is in Genève".into(),
            etag: note.etag.clone(),
            ..Default::default()
        };
        ana.notes().update_note(edit.clone()).await.unwrap();
        let edited = change(&mut live).await;
        assert_eq!((edited.sequence, edited.note.unwrap().body.as_str()), (2, "the bag is in Genève"));
        assert_eq!(ana.notes().update_note(edit).await.unwrap_err().code(), Code::Aborted, "what was read is old");

        let revisions = notes::ListNoteRevisionsRequest { note_id: note.note_id.clone(), ..Default::default() };
        let revisions = supervisor.notes().list_note_revisions(revisions).await.unwrap().into_inner().revisions;
        let texts: Vec<_> = revisions.iter().map(|it| (it.revision, it.body.as_str())).collect();
        assert_eq!(texts, [(1, "the bag is in Zürich"), (2, "the bag is in Genève")]);

        let search = |words: &str| notes::SearchNotesRequest {
            query: words.into(),
            author_subject: "ana".into(),
            conversation_id: id.to_owned(),
            ..Default::default()
        };
        let hits = eventually("the note is found", || async {
            let hits = supervisor.note_search().search_notes(search("geneve")).await.unwrap().into_inner().hits;
            (!hits.is_empty()).then_some(hits)
        })
        .await;
        let snippet = hits[0].snippet.clone().unwrap();
        let place = snippet.highlights[0];
        let letters: Vec<char> = snippet.text.chars().collect();
        assert_eq!(letters[place.start as usize..place.end as usize].iter().collect::<String>(), "Genève");
        let old = supervisor.note_search().search_notes(search("zurich")).await.unwrap().into_inner().hits;
        assert_eq!(old, [], "an earlier text is a revision, not the note");
        let customer = world.as_one(&conversation.contact_id, Role::Contact);
        assert_eq!(customer.note_search().search_notes(search("geneve")).await.unwrap_err().code(), Code::PermissionDenied);

        let me = ana.agents().get_my_agent(GetMyAgentRequest {}).await.unwrap().into_inner().agent.unwrap();
        tell(&supervisor, id, "offer a voucher", Some(&me.agent_id)).await;
        let admin = world.as_one("admin", Role::Admin);
        let off = notes::UpdateSettingsRequest { internal_messages_enabled: Some(false), ..Default::default() };
        admin.notes_admin().update_settings(off).await.unwrap();
        let refused = eventually("internal messages are off", || async {
            let request = notes::SendInternalMessageRequest {
                conversation_id: id.to_owned(),
                body: "too late".into(),
                to: Some(notes::send_internal_message_request::To::RecipientAgentId(me.agent_id.clone())),
                ..Default::default()
            };
            supervisor.internal_messages().send_internal_message(request).await.err()
        })
        .await;
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(rpc::reason_of(&refused), Some(ErrorReason::DisabledBySetting));
        world.stop().await;
    }
}
