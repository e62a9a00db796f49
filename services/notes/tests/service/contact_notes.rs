//! Notes on contacts.

use kernel::Role;
use proto::common::v1::{AuditFilter, ErrorReason};
use proto::notes::v1::*;
use proto::routing::v1::conversation_event::Event;
use tonic::Code;

use crate::world::{World, delete, edit, get, metadata, read, refusal, request_id, violated};

fn page(contact_id: &str, page_size: i32, page_token: &str) -> ListContactNotesRequest {
    let (contact_id, page_token) = (contact_id.to_owned(), page_token.to_owned());
    ListContactNotesRequest { contact_id, page_size, page_token }
}

testkit::on_both_databases! {
    // N2
    async fn a_note_on_a_contact_is_seen_in_every_conversation_with_them_and_says_who_what_and_when(engine) {
        let world = World::on(engine).await;
        let note = world.on_contact("ana", "speaks **German** only").await;
        assert_eq!((note.kind(), &note.contact_id), (NoteKind::Contact, &world.contact()));
        assert_eq!((note.conversation_id.as_str(), &note.origin_conversation_id), ("", &world.conversation));
        assert_eq!(note.author.as_ref().unwrap().subject, "sub-ana");
        assert!(note.create_time.is_some() && note.body == "speaks **German** only");
        // What is asked for is the contact, whichever conversation the reader is in.
        assert_eq!(world.all_on_contact().await, std::slice::from_ref(&note));
        assert_eq!(read(&mut world.agent("bob"), &note).await, note);
        assert!(world.all().await.is_empty(), "it is not one of the conversation's own notes");
        let other = world.written(&mut world.agent("ana"), "about this order").await;
        assert_eq!((other.kind(), &other.contact_id), (NoteKind::Conversation, &world.contact()));
        assert_eq!((world.all_on_contact().await, world.all().await), (vec![note], vec![other]));
    }

    // N2
    async fn it_is_written_from_within_a_conversation_with_that_contact_and_from_nowhere_else(engine) {
        let world = World::on(engine).await;
        let mut ana = world.contact_notes("sub-ana", Role::Agent);
        let nowhere = CreateContactNoteRequest { conversation_id: String::new(), ..world.contact_note("x") };
        let (code, reason, status) = refusal(ana.create_contact_note(nowhere).await);
        assert_eq!((code, reason), (Code::FailedPrecondition, Some(ErrorReason::ConversationRequired)));
        assert_eq!(metadata(&status, "setting").as_deref(), Some("contact_note_requires_conversation"));

        let another = world.peers.conversation("acme");
        let elsewhere = CreateContactNoteRequest { conversation_id: another, ..world.contact_note("x") };
        let (code, reason, status) = refusal(ana.create_contact_note(elsewhere).await);
        assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
        assert_eq!(violated(&status), ["conversation_id"]);

        let mut answers = Vec::new();
        for conversation_id in [world.peers.conversation("globex"), request_id()] {
            let foreign = CreateContactNoteRequest { conversation_id, ..world.contact_note("x") };
            let (code, _, status) = refusal(ana.create_contact_note(foreign).await);
            assert_eq!(code, Code::NotFound);
            answers.push((status.message().to_owned(), status.details().to_vec()));
        }
        assert_eq!(answers[0], answers[1]);
        assert!(world.all_on_contact().await.is_empty());
    }

    // N2
    async fn where_the_organization_allows_it_it_needs_no_conversation_but_still_its_own_contact(engine) {
        let world = World::on(engine).await;
        let request = UpdateSettingsRequest { contact_note_requires_conversation: Some(false), ..Default::default() };
        world.admin().update_settings(request).await.unwrap();
        let mut ana = world.contact_notes("sub-ana", Role::Agent);
        let nowhere = CreateContactNoteRequest { conversation_id: String::new(), ..world.contact_note("@bob imported") };
        world.peers.agent("bob");
        let note = ana.create_contact_note(nowhere.clone()).await.unwrap().into_inner().note.unwrap();
        assert_eq!((note.origin_conversation_id.as_str(), note.conversation_id.as_str()), ("", ""));
        let (notified, applied) = world.peers.told(1).await;
        assert_eq!((notified.len(), applied.len()), (1, 0), "there is no conversation to tell routing of");
        assert_eq!((notified[0].conversation_id.as_str(), &notified[0].note_id), ("", &note.note_id));
        for contact_id in [world.peers.contact("globex"), request_id()] {
            let foreign = CreateContactNoteRequest { contact_id, ..nowhere.clone() };
            assert_eq!(refusal(ana.create_contact_note(foreign).await).0, Code::NotFound);
        }
        let another = world.peers.conversation("acme");
        let elsewhere = CreateContactNoteRequest { conversation_id: another, ..nowhere };
        let (_, _, status) = refusal(ana.create_contact_note(elsewhere).await);
        assert_eq!(violated(&status), ["conversation_id"], "a conversation that is named must be theirs");
    }

    // N2, N7
    async fn its_mentions_lead_to_the_conversation_it_was_written_in(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        let note = world.on_contact("ana", "@bob knows them").await;
        assert_eq!(note.mentions[0].outcome(), MentionOutcome::Notified);
        let (notified, applied) = world.peers.told(2).await;
        assert_eq!((notified.len(), applied.len()), (1, 1));
        assert_eq!((&notified[0].conversation_id, &notified[0].note_id), (&world.conversation, &note.note_id));
        assert!(matches!(applied[0].event, Some(Event::PeopleMentioned(_))), "it is no new note in the conversation");
    }

    // N2
    async fn deleting_it_leaves_nothing_but_an_audit_record_without_content(engine) {
        let world = World::on(engine).await;
        for name in ["bob", "cleo"] { world.peers.agent(name); }
        let mut ana = world.agent("ana");
        let note = world.on_contact("ana", "canary-1 @bob").await;
        let note = ana.update_note(edit(&note, "canary-2 @cleo")).await.unwrap().into_inner().note.unwrap();
        for (role, who) in [(Role::Agent, "sub-bob"), (Role::Supervisor, "eve")] {
            let (code, reason, _) = refusal(world.person(who, role).delete_note(delete(&note)).await);
            assert_eq!((code, reason), (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)));
        }
        let request = DeleteNoteRequest { request_id: request_id(), ..delete(&note) };
        ana.delete_note(request.clone()).await.unwrap();
        ana.delete_note(request).await.unwrap();
        assert_eq!(refusal(ana.delete_note(delete(&note)).await).0, Code::NotFound, "another request finds nothing");
        assert_eq!(refusal(world.person("root", Role::Admin).get_note(get(&note)).await).0, Code::NotFound);
        assert!(world.all_on_contact().await.is_empty());

        let filter = AuditFilter { object_kind: "note".to_owned(), object_id: note.note_id.clone(), ..Default::default() };
        let trail = ListAuditEventsRequest { filter: Some(filter), ..Default::default() };
        let events = world.admin().list_audit_events(trail).await.unwrap().into_inner().events;
        let actions: Vec<_> = events.iter().map(|event| (event.action.as_str(), event.actor_subject.as_str())).collect();
        let expected = [("note.delete", "sub-ana"), ("note.update", "sub-ana"), ("note.create", "sub-ana")];
        assert_eq!(actions, expected);
        assert!(!format!("{events:?}").contains("canary"));

        let (db, org) = world.tables().await;
        for table in ["notes", "note_revisions", "mentioned_people", "reply_recipients"] {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE org_id = $1");
            let rows: i64 =
                db.read(&org, move |tx| Box::pin(async move { tx.query_dynamic(sql).fetch_value(tx).await })).await.map_err(|error: db::DbError| error).unwrap();
            assert_eq!(rows, 0, "{table}");
        }
        db.close().await;
    }

    // N2, P5
    async fn a_retry_has_the_first_answer_also_after_the_setting_changed(engine) {
        let world = World::on(engine).await;
        let off = |value| UpdateSettingsRequest { contact_note_requires_conversation: Some(value), ..Default::default() };
        world.admin().update_settings(off(false)).await.unwrap();
        let mut ana = world.contact_notes("sub-ana", Role::Agent);
        let request = CreateContactNoteRequest {
            conversation_id: String::new(),
            request_id: request_id(),
            ..world.contact_note("once")
        };
        let first = ana.create_contact_note(request.clone()).await.unwrap().into_inner();
        world.admin().update_settings(off(true)).await.unwrap();
        assert_eq!(ana.create_contact_note(request.clone()).await.unwrap().into_inner(), first);
        let new = CreateContactNoteRequest { request_id: request_id(), ..request.clone() };
        let (_, reason, _) = refusal(ana.create_contact_note(new).await);
        assert_eq!(reason, Some(ErrorReason::ConversationRequired));
        let other = CreateContactNoteRequest { body: "twice".to_owned(), ..request };
        let (_, reason, _) = refusal(ana.create_contact_note(other).await);
        assert_eq!(reason, Some(ErrorReason::RequestIdReused));
        assert_eq!(world.all_on_contact().await.len(), 1);
    }

    // N2, P7
    async fn notes_on_a_contact_come_page_by_page_and_an_unknown_contact_has_none(engine) {
        let world = World::on(engine).await;
        for n in 0..5 { world.on_contact("ana", &format!("{n}")).await; }
        let mut ana = world.contact_notes("sub-ana", Role::Agent);
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let answer = ana.list_contact_notes(page(&world.contact(), 2, &token)).await.unwrap().into_inner();
            seen.extend(answer.notes.into_iter().map(|note| note.body));
            token = answer.next_page_token;
            if token.is_empty() { break }
            // The token of a list of one contact is none of another list.
            let other = ListNotesRequest { conversation_id: world.conversation.clone(), page_token: token.clone(), ..Default::default() };
            let (_, reason, _) = refusal(world.agent("ana").list_notes(other).await);
            assert_eq!(reason, Some(ErrorReason::InvalidPageToken));
        }
        assert_eq!(seen, ["0", "1", "2", "3", "4"]);
        assert!(ana.list_contact_notes(page(&world.peers.contact("acme"), 0, "")).await.unwrap().into_inner().notes.is_empty());
        for contact in [world.peers.contact("globex"), request_id()] {
            assert_eq!(refusal(ana.list_contact_notes(page(&contact, 0, "")).await).0, Code::NotFound);
        }
    }

    // N3, P2
    async fn contacts_integrations_and_services_reach_no_note_on_a_contact(engine) {
        let world = World::on(engine).await;
        world.on_contact("ana", "private").await;
        for role in [Role::Contact, Role::Integration, Role::Service] {
            let mut outsider = world.contact_notes(&world.contact(), role);
            for (code, reason, status) in [
                refusal(outsider.create_contact_note(world.contact_note("mine")).await),
                refusal(outsider.list_contact_notes(page(&world.contact(), 0, "")).await),
            ] {
                assert_eq!((code, reason), (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)), "{role}");
                assert!(!format!("{status:?}").contains("private"));
            }
        }
    }
}
