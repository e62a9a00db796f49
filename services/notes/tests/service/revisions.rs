//! The texts a note had.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::*;
use tonic::Code;

use crate::world::{Notes, World, edit, refusal, request_id};

fn page(note: &Note, page_size: i32, page_token: &str) -> ListNoteRevisionsRequest {
    ListNoteRevisionsRequest { note_id: note.note_id.clone(), page_size, page_token: page_token.to_owned() }
}

async fn pages(by: &mut Notes, note: &Note, size: i32) -> Vec<Vec<NoteRevision>> {
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let answer = by.list_note_revisions(page(note, size, &token)).await.unwrap().into_inner();
        pages.push(answer.revisions);
        token = answer.next_page_token;
        if token.is_empty() {
            return pages;
        }
    }
}

testkit::on_both_databases! {
    // N5
    async fn every_text_is_listed_with_who_wrote_it_and_when_and_the_present_one_is_the_last(engine) {
        let world = World::on(engine).await;
        let mut ana = world.agent("ana");
        let first = world.written(&mut ana, "first").await;
        let second = ana.update_note(edit(&first, "second")).await.unwrap().into_inner().note.unwrap();
        let mut root = world.person("root", Role::Admin);
        let third = root.update_note(edit(&second, "third")).await.unwrap().into_inner().note.unwrap();
        ana.pin_note(PinNoteRequest { note_id: first.note_id.clone() }).await.unwrap();

        let all = pages(&mut world.agent("bob"), &first, 0).await.concat();
        let seen: Vec<_> = all
            .iter()
            .map(|text| (text.revision, text.body.as_str(), text.actor.as_ref().unwrap().subject.as_str(), text.write_time))
            .collect();
        assert_eq!(seen, [
            (1, "first", "sub-ana", first.create_time),
            (2, "second", "sub-ana", second.update_time),
            (3, "third", "root", third.update_time),
        ]);
        assert_eq!(all[2].actor.as_ref().unwrap().role(), proto::common::v1::Role::Admin);
        let sizes: Vec<_> = pages(&mut ana, &first, 2).await.iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1]);
    }

    // N5, P7
    async fn long_texts_make_shorter_pages(engine) {
        let world = World::on(engine).await;
        let mut ana = world.agent("ana");
        let text = |n: usize| format!("{n} {}", "x".repeat(65_000));
        let mut note = world.written(&mut ana, &text(0)).await;
        for n in 1..40 {
            note = ana.update_note(edit(&note, &text(n))).await.unwrap().into_inner().note.unwrap();
        }
        let pages = pages(&mut ana, &note, 200).await;
        assert!(pages.len() > 1);
        let all: Vec<_> = pages.concat().into_iter().map(|text| text.body).collect();
        assert_eq!(all, (0..40).map(text).collect::<Vec<_>>());
    }

    // N5, P1
    async fn a_foreign_notes_texts_are_answered_as_of_one_that_never_existed(engine) {
        let world = World::on(engine).await;
        let note = world.written(&mut world.agent("ana"), "ours").await;
        let second = world.agent("ana").update_note(edit(&note, "ours 2")).await.unwrap().into_inner().note.unwrap();
        let absent = Note { note_id: request_id(), ..note.clone() };
        let mut globex = world.foreigner("globex", "sub-ana", Role::Admin);
        let mut answers = Vec::new();
        for note in [&note, &absent] {
            let (code, _, status) = refusal(globex.list_note_revisions(page(note, 0, "")).await);
            assert_eq!(code, Code::NotFound);
            answers.push((status.message().to_owned(), status.details().to_vec()));
        }
        assert_eq!(answers[0], answers[1]);
        let token = world.agent("ana").list_note_revisions(page(&second, 1, "")).await.unwrap().into_inner().next_page_token;
        let other = world.written(&mut world.agent("ana"), "other").await;
        let (_, reason, _) = refusal(world.agent("ana").list_note_revisions(page(&other, 1, &token)).await);
        assert_eq!(reason, Some(ErrorReason::InvalidPageToken));
    }
}
