//! Writing notes.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::*;
use tonic::Code;

use crate::world::{World, metadata, refusal, request_id, violated};

testkit::on_both_databases! {
    // N1
    async fn a_note_is_read_by_a_colleague_as_it_was_written(engine) {
        let world = World::on(engine).await;
        let body = "**Refund** promised\n\n- until Friday ✓";
        let note = world.written(&mut world.agent("ana"), body).await;
        assert_eq!((note.body.as_str(), note.revision, note.conversation_id.as_str()), (body, 1, world.conversation.as_str()));
        let author = note.author.clone().unwrap();
        assert_eq!((author.subject.as_str(), author.role()), ("sub-ana", proto::common::v1::Role::Agent));
        assert!(note.create_time.is_some() && note.create_time == note.update_time);
        assert!(!note.etag.is_empty() && note.mentions.is_empty());

        let request = GetNoteRequest { note_id: note.note_id.clone() };
        let read = world.agent("bob").get_note(request).await.unwrap().into_inner().note.unwrap();
        assert_eq!(read, note);
        assert_eq!(world.all().await, [note]);
    }

    // P5
    async fn a_retry_has_the_first_answer_and_no_second_effect(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        let request = CreateNoteRequest { request_id: request_id(), ..world.note("@bob look") };
        let first = world.agent("ana").create_note(request.clone()).await.unwrap().into_inner();
        let second = world.agent("ana").create_note(request.clone()).await.unwrap().into_inner();
        assert_eq!(first, second);
        assert_eq!(world.all().await.len(), 1);
        let (notified, applied) = world.peers.told(3).await;
        assert_eq!((notified.len(), applied.len()), (1, 2), "one notification; one note added, one mention");

        let by_other = world.agent("cleo").create_note(request).await.unwrap().into_inner();
        assert_ne!(first, by_other, "another caller's id is another request");
    }

    // P5
    async fn equal_requests_at_once_make_one_note(engine) {
        let world = World::on(engine).await;
        let request = CreateNoteRequest { request_id: request_id(), ..world.note("once") };
        let calls = (0..20).map(|_| {
            let (mut notes, request) = (world.agent("ana"), request.clone());
            tokio::spawn(async move { notes.create_note(request).await })
        });
        let mut ids = std::collections::HashSet::new();
        for call in calls.collect::<Vec<_>>() {
            ids.insert(call.await.unwrap().unwrap().into_inner().note.unwrap().note_id);
        }
        assert_eq!((ids.len(), world.all().await.len()), (1, 1));
    }

    // P5
    async fn a_request_id_used_for_another_text_is_refused(engine) {
        let world = World::on(engine).await;
        let first = CreateNoteRequest { request_id: request_id(), ..world.note("first") };
        world.agent("ana").create_note(first.clone()).await.unwrap();
        let other = CreateNoteRequest { body: "other".to_owned(), ..first.clone() };
        let (code, reason, status) = refusal(world.agent("ana").create_note(other).await);
        assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::RequestIdReused)));
        assert_eq!(metadata(&status, "request_id"), Some(first.request_id));
        assert_eq!(world.all().await.len(), 1);
    }

    // N1, P4
    async fn a_text_is_limited_to_64_kib_in_bytes(engine) {
        let world = World::on(engine).await;
        let most = "€".repeat(65_536 / 3) + "x";
        assert_eq!(most.len(), 65_536);
        let note = world.written(&mut world.agent("ana"), &most).await;
        assert_eq!(note.body, most);
        for refused in [most + "x", String::new(), " \n\u{a0} ".to_owned(), "a\0b".to_owned()] {
            let (code, reason, status) = refusal(world.agent("ana").create_note(world.note(&refused)).await);
            assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
            assert_eq!(violated(&status), ["body"]);
        }
        assert_eq!(world.all().await.len(), 1);
    }

    // P1
    async fn a_foreign_conversation_is_answered_as_one_that_never_existed(engine) {
        let world = World::on(engine).await;
        let foreign = world.peers.conversation("globex");
        let absent = request_id();
        let mut answers = Vec::new();
        for conversation_id in [foreign, absent] {
            let request = CreateNoteRequest { conversation_id, ..world.note("hello") };
            let (code, reason, status) = refusal(world.agent("ana").create_note(request).await);
            assert_eq!((code, reason), (Code::NotFound, Some(ErrorReason::NotFound)));
            assert_eq!(metadata(&status, "field").as_deref(), Some("conversation_id"));
            answers.push((status.message().to_owned(), status.details().to_vec()));
        }
        assert_eq!(answers[0], answers[1]);
    }

    // P4
    async fn an_id_that_is_none_is_named(engine) {
        let world = World::on(engine).await;
        let request = CreateNoteRequest { conversation_id: "7".to_owned(), ..world.note("hello") };
        let (code, _, status) = refusal(world.person("root", Role::Admin).create_note(request).await);
        assert_eq!((code, violated(&status)), (Code::InvalidArgument, vec!["conversation_id".to_owned()]));
    }
}
