//! Changing notes.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::*;
use tonic::Code;

use crate::world::{World, edit, metadata, refusal, request_id};

async fn changed(notes: &mut crate::world::Notes, request: UpdateNoteRequest) -> Note {
    notes.update_note(request).await.unwrap().into_inner().note.unwrap()
}

testkit::on_both_databases! {
    // N1, N5
    async fn an_edit_replaces_the_text_and_keeps_the_earlier_ones(engine) {
        let world = World::on(engine).await;
        let mut ana = world.agent("ana");
        let first = world.written(&mut ana, "first").await;
        let second = changed(&mut ana, edit(&first, "second")).await;
        assert_eq!((second.body.as_str(), second.revision), ("second", 2));
        assert_ne!(second.etag, first.etag);
        assert_eq!((&second.author, &second.create_time), (&first.author, &first.create_time));
        let third = changed(&mut world.person("root", Role::Admin), edit(&second, "third")).await;
        assert_eq!((third.revision, third.author.unwrap().subject.as_str()), (3, "sub-ana"));
        let fourth = changed(&mut ana, UpdateNoteRequest { etag: String::new(), ..edit(&first, "fourth") }).await;
        assert_eq!(world.all().await, [fourth]);

    }

    // P6
    async fn a_stale_etag_aborts_and_tells_the_present_one(engine) {
        let world = World::on(engine).await;
        let mut ana = world.agent("ana");
        let first = world.written(&mut ana, "first").await;
        let second = changed(&mut ana, edit(&first, "second")).await;
        for etag in [first.etag.as_str(), "v999", "nonsense"] {
            let request = UpdateNoteRequest { etag: etag.to_owned(), ..edit(&first, "lost?") };
            let (code, reason, status) = refusal(ana.update_note(request).await);
            assert_eq!((code, reason), (Code::Aborted, Some(ErrorReason::StaleEtag)));
            assert_eq!(metadata(&status, "etag"), Some(second.etag.clone()));
        }
        assert_eq!(world.all().await, [second]);
    }

    // P6
    async fn of_edits_at_once_exactly_one_wins(engine) {
        let world = World::on(engine).await;
        let note = world.written(&mut world.agent("ana"), "first").await;
        let calls = (0..16).map(|n| {
            let (mut ana, request) = (world.agent("ana"), edit(&note, &format!("text {n}")));
            tokio::spawn(async move { ana.update_note(request).await })
        });
        let mut won = 0;
        for call in calls.collect::<Vec<_>>() {
            match call.await.unwrap() {
                Ok(_) => won += 1,
                Err(status) => assert_eq!(status.code(), Code::Aborted, "{status}"),
            }
        }
        assert_eq!((won, world.all().await[0].revision), (1, 2));
    }

    // N1
    async fn only_the_author_and_admins_edit(engine) {
        let world = World::on(engine).await;
        let note = world.written(&mut world.agent("ana"), "first").await;
        for role in [Role::Agent, Role::Supervisor] {
            let (code, reason, status) = refusal(world.person("bob", role).update_note(edit(&note, "mine")).await);
            assert_eq!((code, reason), (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)));
            assert_eq!(metadata(&status, "role"), Some(role.to_string()));
        }
        assert_eq!(world.all().await, [note]);
    }

    // P5
    async fn a_retry_of_an_edit_has_its_answer_even_after_another_edit(engine) {
        let world = World::on(engine).await;
        let mut ana = world.agent("ana");
        let note = world.written(&mut ana, "first").await;
        let request = UpdateNoteRequest { request_id: request_id(), ..edit(&note, "second") };
        let second = changed(&mut ana, request.clone()).await;
        let third = changed(&mut ana, edit(&second, "third")).await;
        assert_eq!(changed(&mut ana, request.clone()).await, second, "not ABORTED");
        assert_eq!(world.all().await, [third]);
        let reused = UpdateNoteRequest { body: "fourth".to_owned(), ..request };
        let (_, reason, _) = refusal(ana.update_note(reused).await);
        assert_eq!(reason, Some(ErrorReason::RequestIdReused));
    }

    // P6
    async fn a_mask_may_name_the_body_only(engine) {
        let world = World::on(engine).await;
        let mut ana = world.agent("ana");
        let note = world.written(&mut ana, "first").await;
        let masked = |paths: &[&str], body: &str| {
            let paths = paths.iter().map(|path| (*path).to_owned()).collect();
            UpdateNoteRequest { update_mask: Some(prost_types::FieldMask { paths }), etag: String::new(), ..edit(&note, body) }
        };
        assert_eq!(changed(&mut ana, masked(&["body"], "second")).await.body, "second");
        assert_eq!(changed(&mut ana, masked(&[], "third")).await.body, "third");
        let (code, reason, status) = refusal(ana.update_note(masked(&["body", "author"], "fourth")).await);
        assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::UnknownUpdatePath)));
        assert_eq!(metadata(&status, "path"), Some("author".to_owned()));
    }

    // N5
    async fn the_same_text_again_changes_nothing(engine) {
        let world = World::on(engine).await;
        let mut ana = world.agent("ana");
        let note = world.written(&mut ana, "first").await;
        assert_eq!(changed(&mut ana, edit(&note, "first")).await, note);
    }

    // P1
    async fn a_foreign_note_is_answered_as_one_that_never_existed(engine) {
        let world = World::on(engine).await;
        let note = world.written(&mut world.agent("ana"), "ours").await;
        let mut globex = world.foreigner("globex", "sub-ana", Role::Admin);
        let absent = Note { note_id: request_id(), ..note.clone() };
        let mut answers = Vec::new();
        for note in [&note, &absent] {
            let id = GetNoteRequest { note_id: note.note_id.clone() };
            for (code, reason, status) in
                [refusal(globex.update_note(edit(note, "@bob theirs")).await), refusal(globex.get_note(id).await)]
            {
                assert_eq!((code, reason), (Code::NotFound, Some(ErrorReason::NotFound)));
                answers.push((status.message().to_owned(), status.details().to_vec()));
            }
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(world.all().await, [note]);
    }
}
