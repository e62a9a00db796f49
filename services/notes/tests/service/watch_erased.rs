//! N12, P12 and P14: notes that are erased while somebody follows them and nothing else happens.

use std::time::{Duration, Instant};

use kernel::Clock;
use proto::notes::v1::NoteChange;
use proto::notes::v1::watch_notes_request::Target;
use proto::notes::v1::watch_notes_response::Frame;
use testkit::Engine;

use crate::erasure::{erase_contact, erase_conversations};
use crate::watch::{Stream, change, frame, from_now, on_conversation, opened};
use crate::world::World;

/// Shorter than the time between two heartbeats.
const SOON: Duration = Duration::from_secs(15);

/// The stream ends, and its reader is told to list again, whom that tells that there is nothing.
async fn is_told(stream: &mut Stream) {
    loop {
        match frame(stream).await.unwrap().frame.unwrap() {
            // Whose look falls between the steps of the erasure sees that the notes are gone.
            Frame::Change(NoteChange { note: None, .. }) => {}
            Frame::ResyncRequired(_) => break,
            other => panic!("neither gone nor to be listed again: {other:?}"),
        }
    }
    assert!(frame(stream).await.is_none());
}

testkit::on_both_databases! {
    // N12, P12
    async fn who_follows_notes_that_are_erased_is_told_at_once(engine) {
        let world = World::configured(engine, |config| {
            config.notes = serde_json::from_value(serde_json::json!({ "poll_ms": 60_000 })).unwrap();
        })
        .await;
        let contact = Target::ContactId(world.contact());
        let mut of_contact = opened(&world, contact, from_now()).await;
        let mut of_conversation = opened(&world, on_conversation(&world), from_now()).await;
        world.on_contact("ana", "has two children").await;
        world.written(&mut world.agent("ana"), "is ill").await;
        change(&mut of_contact).await;
        change(&mut of_conversation).await;
        let (erasure, begin) = (Clock::system().new_id().to_string(), Instant::now());
        erase_conversations(&world, &erasure, &[&world.conversation]).await;
        is_told(&mut of_conversation).await;
        erase_contact(&world, &erasure, &world.contact()).await;
        is_told(&mut of_contact).await;
        assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
        world.suite.stop().await;
    }
}

// N12, P12, fault 7: two processes on one database, without NATS between them.
#[test]
fn who_follows_notes_that_another_process_erases_is_told_without_any_wake_up() {
    testkit::run(async {
        let here = World::on(Engine::Postgres).await;
        let there = here.beside().await;
        let mut stream = opened(&here, on_conversation(&here), from_now()).await;
        here.written(&mut here.agent("ana"), "is ill").await;
        change(&mut stream).await;
        let (erasure, begin) = (Clock::system().new_id().to_string(), Instant::now());
        erase_conversations(&there, &erasure, &[&there.conversation]).await;
        is_told(&mut stream).await;
        assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
        there.suite.stop().await;
        here.suite.stop().await;
    });
}
