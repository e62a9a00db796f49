//! C8: contacts is told that a colleague wrote a note around one: who and when, never what.

use proto::common::v1::Role as Said;
use proto::contacts::v1::activity_event::Event;

use crate::world::{World, edit};

testkit::on_both_databases! {
    // C8 N3
    async fn each_new_note_is_told_around_its_contact_without_a_word_of_it(engine) {
        let world = World::on(engine).await;
        let mut ana = world.agent("ana");
        let first = world.written(&mut ana, "canary: he is lying @bob").await;
        let second = world.on_contact("bob", "canary: known for it").await;
        ana.update_note(edit(&first, "canary: or is he?")).await.unwrap();
        let third = world.replied(&mut ana, &first, "canary: he is").await;

        let mut events = world.peers.around(3).await;
        events.sort_by_key(|event| event.event_id.clone());
        let said: Vec<_> = events
            .iter()
            .map(|event| {
                let Some(Event::NoteWritten(note)) = &event.event else { panic!("{event:?}") };
                let author = event.actor.as_ref().unwrap();
                assert_eq!((author.role(), event.contact_id.as_str()), (Said::Agent, world.contact().as_str()));
                (author.subject.as_str(), note.conversation_id.as_str(), event.occur_time)
            })
            .collect();
        let conversation = world.conversation.as_str();
        assert_eq!(said, [
            ("sub-ana", conversation, first.create_time),
            ("sub-bob", conversation, second.create_time),
            ("sub-ana", conversation, third.create_time),
        ], "an edit is none");
        let all = format!("{events:?}");
        for private in ["canary", &first.note_id, &second.note_id, &third.note_id] {
            assert!(!all.contains(private), "{all}");
        }
        world.suite.stop().await;
    }
}
