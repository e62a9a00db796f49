//! A client that goes away in the middle of a call loses nothing that was acknowledged and leaves nothing behind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::{Clock, Role};
use proto::notes::v1 as notes;
use suite::client::Wire;
use tonic::Code;

use crate::cast::{assigned, customer_writes, message, route, team};
use crate::world::{ORG, World};

/// Calls, each cut off at another moment.
const CALLS: u64 = 2_000;

/// Calls at a time.
const AT_ONCE: usize = 32;

/// One call in so many is not cut.
const UNCUT: u64 = 40;

/// A connection with too many cut calls is closed by the server, and its other calls with it: so there are several.
const CONNECTIONS: usize = 16;

testkit::on_both_databases! {
    // Faults 5
    async fn calls_cut_off_at_any_moment_lose_no_acknowledged_note(engine) {
        let world = World::one_process(engine).await;
        let team = team(&world, "flights", &["ana"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("airline", "x-1", 0, "hello")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let author = &team.agents[0].api;
        let mut authors = Vec::new();
        for _ in 0..CONNECTIONS {
            let wire = Wire::connect(|_| world.address()).await.unwrap();
            authors.push(wire.bearing(&world.token(ORG, "ana", Role::Agent)).unwrap());
        }
        let clock = Clock::system();
        let note = |number: u64| notes::CreateNoteRequest {
            conversation_id: conversation.conversation_id.clone(),
            body: format!("note {number}"),
            request_id: clock.new_id().to_string(),
            ..Default::default()
        };
        // How long answers take here and now, as many at a time as later.
        let begun = std::time::Instant::now();
        let uncut = (0..AT_ONCE).map(|number| {
            let (mut notes, request) = (authors[number % authors.len()].notes(), note(CALLS + number as u64));
            async move { notes.create_note(request).await.unwrap() }
        });
        futures::future::join_all(uncut).await;
        let usual = AtomicU64::new(begun.elapsed().as_micros() as u64);

        let calls = (0..CALLS).map(|number| {
            let request = note(number);
            let mut notes = authors[number as usize % authors.len()].notes();
            let usual = &usual;
            async move {
                // From "before it is sent" to "long answered". Some are not cut, so that it is known when the machine slows down.
                let long = Duration::from_micros(3 * usual.load(Ordering::Relaxed)).max(Duration::from_millis(300));
                let cut = long.mul_f64((number * 997 % CALLS) as f64 / CALLS as f64);
                let patience = if number % UNCUT == 0 { Duration::from_secs(60) } else { cut };
                let begun = std::time::Instant::now();
                let answer = tokio::time::timeout(patience, notes.create_note(request)).await.map_err(|_| Code::Cancelled)?;
                if number % UNCUT == 0 {
                    usual.store(begun.elapsed().as_micros() as u64, Ordering::Relaxed);
                }
                // Not answered: its connection was closed for the sake of others' cuts.
                answer.map(|answer| answer.into_inner().note.unwrap().note_id).map_err(|status| status.code())
            }
        });
        let outcomes: Vec<Result<String, Code>> =
            futures::StreamExt::collect(futures::StreamExt::buffer_unordered(futures::stream::iter(calls), AT_ONCE)).await;
        let mut unanswered = BTreeMap::<String, usize>::new();
        for code in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            *unanswered.entry(format!("{code:?}")).or_default() += 1;
        }
        let acknowledged: Vec<String> = outcomes.into_iter().flatten().collect();
        let answered = acknowledged.len();
        assert!(answered > 50 && unanswered.contains_key("Cancelled"), "{answered} answered, others: {unanswered:?}");

        // The pool still works, and every acknowledged note is there.
        let mut found = std::collections::HashSet::new();
        let mut page_token = String::new();
        loop {
            let request = notes::ListNotesRequest {
                conversation_id: conversation.conversation_id.clone(),
                page_size: 200,
                page_token,
            };
            let page = author.notes().list_notes(request).await.unwrap().into_inner();
            for note in page.notes {
                assert!(found.insert(note.body), "each request has one effect");
                found.insert(note.note_id);
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let lost: Vec<_> = acknowledged.iter().filter(|id| !found.contains(*id)).collect();
        assert!(lost.is_empty(), "{} of {} acknowledged notes are lost", lost.len(), acknowledged.len());
        world.stop().await;
    }
}
