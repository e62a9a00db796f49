//! Pinned notes.

use kernel::Role;
use proto::notes::v1::*;
use tonic::Code;

use crate::world::{Notes, World, edit, refusal, request_id};

async fn pinned(by: &mut Notes, note: &Note) -> Note {
    by.pin_note(PinNoteRequest { note_id: note.note_id.clone() }).await.unwrap().into_inner().note.unwrap()
}

async fn unpinned(by: &mut Notes, note: &Note) -> Note {
    by.unpin_note(UnpinNoteRequest { note_id: note.note_id.clone() })
        .await
        .unwrap()
        .into_inner()
        .note
        .unwrap()
}

fn page(world: &World, page_size: i32, page_token: &str) -> ListNotesRequest {
    let (conversation_id, page_token) = (world.conversation.clone(), page_token.to_owned());
    ListNotesRequest { conversation_id, page_size, page_token }
}

fn texts(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|note| note.body.as_str()).collect()
}

testkit::on_both_databases! {
    // N9
    async fn pinned_notes_come_first_with_who_pinned_them_and_when(engine) {
        let world = World::on(engine).await;
        let (mut ana, mut bob) = (world.agent("ana"), world.agent("bob"));
        let mut notes = Vec::new();
        for n in 0..5 { notes.push(world.written(&mut ana, &format!("{n}")).await); }
        let third = pinned(&mut bob, &notes[3]).await;
        let first = pinned(&mut ana, &notes[1]).await;
        let pin = third.pin.clone().unwrap();
        assert_eq!((pin.actor.unwrap().subject.as_str(), pin.pin_time.is_some()), ("sub-bob", true));
        assert_ne!(third.etag, notes[3].etag);
        assert_eq!(third.update_time, notes[3].update_time, "its text did not change");
        assert_eq!(texts(&world.all().await), ["3", "1", "0", "2", "4"]);
        assert_eq!(pinned(&mut ana, &third).await, third, "a pin stays whose it is");
        assert_eq!(world.all().await[..2], [third.clone(), first]);

        let (mut pages, mut token) = (Vec::new(), String::new());
        loop {
            let answer = bob.list_notes(page(&world, 1, &token)).await.unwrap().into_inner();
            pages.push(answer.notes[0].body.clone());
            token = answer.next_page_token;
            if token.is_empty() { break }
        }
        assert_eq!(pages, ["3", "1", "0", "2", "4"], "each once, however small the pages");
        let two = bob.list_notes(page(&world, 2, "")).await.unwrap().into_inner();
        assert_eq!(texts(&two.notes), ["3", "1"]);
        assert!(!two.next_page_token.is_empty(), "a page full of pins is not the end");

        let note = unpinned(&mut ana, &third).await;
        assert_eq!(note.pin, None);
        assert_eq!(unpinned(&mut bob, &third).await, note, "without a pin nothing changes");
        assert_eq!(texts(&world.all().await), ["1", "0", "2", "3", "4"]);
    }

    // N9
    async fn a_note_on_a_contact_is_pinned_for_every_conversation_with_them(engine) {
        let world = World::on(engine).await;
        for n in 0..3 { world.on_contact("ana", &format!("{n}")).await; }
        let last = world.all_on_contact().await.pop().unwrap();
        let last = pinned(&mut world.agent("bob"), &last).await;
        assert_eq!(texts(&world.all_on_contact().await), ["2", "0", "1"]);
        let last = world.agent("ana").update_note(edit(&last, "2 edited")).await.unwrap().into_inner().note.unwrap();
        assert!(last.pin.is_some(), "an edit keeps the pin");
        assert_eq!(texts(&world.all_on_contact().await), ["2 edited", "0", "1"]);
    }

    // N9, P7
    async fn pinning_while_somebody_reads_on_hides_no_note_from_them(engine) {
        let world = World::on(engine).await;
        let mut ana = world.agent("ana");
        let mut notes = Vec::new();
        for n in 0..6 { notes.push(world.written(&mut ana, &format!("{n}")).await); }
        let first = ana.list_notes(page(&world, 2, "")).await.unwrap().into_inner();
        for note in &notes[3..5] { pinned(&mut ana, note).await; }
        let rest = ana.list_notes(page(&world, 200, &first.next_page_token)).await.unwrap().into_inner();
        assert_eq!([texts(&first.notes), texts(&rest.notes)].concat(), ["0", "1", "2", "3", "4", "5"]);
    }

    // N9, P1
    async fn a_foreign_note_can_neither_be_pinned_nor_unpinned(engine) {
        let world = World::on(engine).await;
        let note = pinned(&mut world.agent("ana"), &world.written(&mut world.agent("ana"), "ours").await).await;
        let mut globex = world.foreigner("globex", "sub-ana", Role::Admin);
        let mut answers = Vec::new();
        for note_id in [note.note_id.clone(), request_id()] {
            for (code, _, status) in [
                refusal(globex.unpin_note(UnpinNoteRequest { note_id: note_id.clone() }).await.map(drop_note)),
                refusal(globex.pin_note(PinNoteRequest { note_id }).await.map(|_| tonic::Response::new(()))),
            ] {
                assert_eq!(code, Code::NotFound);
                answers.push((status.message().to_owned(), status.details().to_vec()));
            }
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(world.all().await, [note]);
    }
}

fn drop_note(_: tonic::Response<UnpinNoteResponse>) -> tonic::Response<()> {
    tonic::Response::new(())
}
