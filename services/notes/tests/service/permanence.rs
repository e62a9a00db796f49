//! Notes on conversations stay.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::*;
use tonic::Code;

use crate::world::{World, delete, edit, metadata, read, refusal, request_id};

testkit::on_both_databases! {
    // N6
    async fn a_note_on_a_conversation_cannot_be_deleted_by_anybody(engine) {
        let world = World::on(engine).await;
        let note = world.written(&mut world.agent("ana"), "stays").await;
        for mut who in [world.agent("ana"), world.person("root", Role::Admin)] {
            let (code, reason, status) = refusal(who.delete_note(delete(&note)).await);
            assert_eq!((code, reason), (Code::FailedPrecondition, Some(ErrorReason::DisabledBySetting)));
            assert_eq!(metadata(&status, "setting").as_deref(), Some("conversation_note_deletion"));
        }
        assert_eq!(world.all().await, [note]);
    }

    // N6
    async fn a_tombstone_keeps_its_place_its_author_and_its_time_but_only_admins_read_it(engine) {
        let world = World::on(engine).await;
        world.allow_tombstones().await;
        world.peers.agent("bob");
        let mut ana = world.agent("ana");
        let first = world.written(&mut ana, "first").await;
        let note = world.written(&mut ana, "canary @bob").await;
        let note = ana.update_note(edit(&note, "canary again @bob")).await.unwrap().into_inner().note.unwrap();
        let last = world.written(&mut ana, "last").await;
        ana.pin_note(PinNoteRequest { note_id: note.note_id.clone() }).await.unwrap();
        let reply = world.replied(&mut ana, &note, "a reply").await;
        ana.delete_note(delete(&note)).await.unwrap();

        let (mut bob, mut eve, mut root) = (world.agent("bob"), world.person("eve", Role::Supervisor), world.person("root", Role::Admin));
        let notes = world.all().await;
        let ids: Vec<_> = notes.iter().map(|note| note.note_id.as_str()).collect();
        assert_eq!(ids, [&first.note_id, &note.note_id, &last.note_id, &reply.note_id], "in its place, not pinned");
        let stone = &notes[1];
        assert_eq!((stone.body.as_str(), stone.mentions.len(), &stone.pin), ("", 0, &None));
        assert_eq!((&stone.author, stone.create_time, stone.update_time), (&note.author, note.create_time, note.update_time));
        let deletion = stone.deletion.clone().unwrap();
        assert_eq!((deletion.actor.unwrap().subject.as_str(), deletion.delete_time.is_some()), ("sub-ana", true));
        assert_ne!(stone.etag, note.etag);

        // Everybody but admins, also its author, on every way to it.
        for who in [&mut ana, &mut bob, &mut eve] {
            assert_eq!(read(who, &note).await, *stone);
            let revisions = ListNoteRevisionsRequest { note_id: note.note_id.clone(), ..Default::default() };
            let texts = who.list_note_revisions(revisions).await.unwrap().into_inner().revisions;
            assert!(texts.len() == 2 && texts.iter().all(|text| text.body.is_empty() && text.actor.is_some()));
            let thread = ListThreadRequest { note_id: reply.note_id.clone(), ..Default::default() };
            assert_eq!(who.list_thread(thread).await.unwrap().into_inner().notes[0], *stone);
        }
        let seen = read(&mut root, &note).await;
        assert_eq!((seen.body.as_str(), seen.mentions.len()), ("canary again @bob", 1));
        let list = ListNotesRequest { conversation_id: world.conversation.clone(), ..Default::default() };
        assert_eq!(root.list_notes(list).await.unwrap().into_inner().notes[1], seen);
        let revisions = ListNoteRevisionsRequest { note_id: note.note_id.clone(), ..Default::default() };
        let texts = root.list_note_revisions(revisions).await.unwrap().into_inner().revisions;
        assert_eq!(texts[0].body, "canary @bob");
    }

    // N6
    async fn nothing_is_done_with_a_deleted_note_any_more(engine) {
        let world = World::on(engine).await;
        world.allow_tombstones().await;
        let mut ana = world.agent("ana");
        let note = world.written(&mut ana, "gone").await;
        ana.delete_note(delete(&note)).await.unwrap();
        let stone = read(&mut ana, &note).await;
        let pin = PinNoteRequest { note_id: note.note_id.clone() };
        let reply = CreateNoteRequest { reply_to: note.note_id.clone(), ..world.note("a reply") };
        for (code, reason, status) in [
            refusal(ana.update_note(edit(&stone, "back")).await),
            refusal(ana.pin_note(pin).await),
            refusal(ana.create_note(reply).await),
        ] {
            assert_eq!((code, reason), (Code::FailedPrecondition, Some(ErrorReason::NoteDeleted)));
            assert_eq!(metadata(&status, "note_id"), Some(note.note_id.clone()));
        }
        ana.delete_note(delete(&note)).await.unwrap();
        assert_eq!(read(&mut ana, &note).await, stone, "a second deletion changes nothing");
    }

    // N6, P5, P6
    async fn only_the_author_and_admins_delete_and_only_what_they_read(engine) {
        let world = World::on(engine).await;
        world.allow_tombstones().await;
        let mut ana = world.agent("ana");
        let note = world.written(&mut ana, "first").await;
        for (role, who) in [(Role::Agent, "sub-bob"), (Role::Supervisor, "eve")] {
            let (code, reason, _) = refusal(world.person(who, role).delete_note(delete(&note)).await);
            assert_eq!((code, reason), (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)));
        }
        let edited = ana.update_note(edit(&note, "second")).await.unwrap().into_inner().note.unwrap();
        let stale = DeleteNoteRequest { etag: note.etag.clone(), ..delete(&note) };
        let (code, reason, status) = refusal(ana.delete_note(stale).await);
        assert_eq!((code, reason), (Code::Aborted, Some(ErrorReason::StaleEtag)));
        assert_eq!(metadata(&status, "etag"), Some(edited.etag.clone()));
        let (code, _, _) = refusal(world.foreigner("globex", "root", Role::Admin).delete_note(delete(&note)).await);
        assert_eq!(code, Code::NotFound);

        let request = DeleteNoteRequest { etag: edited.etag.clone(), request_id: request_id(), ..delete(&note) };
        let mut root = world.person("root", Role::Admin);
        root.delete_note(request.clone()).await.unwrap();
        root.delete_note(request.clone()).await.unwrap();
        let reused = DeleteNoteRequest { etag: String::new(), ..request };
        let (_, reason, _) = refusal(root.delete_note(reused).await);
        assert_eq!(reason, Some(ErrorReason::RequestIdReused));
        assert_eq!(read(&mut ana, &note).await.deletion.unwrap().actor.unwrap().subject, "root");
    }
}
