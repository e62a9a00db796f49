//! A client that goes away in the middle of a call loses nothing that was acknowledged and leaves nothing behind.

use std::time::Duration;

use kernel::{Clock, Role};
use proto::notes::v1 as notes;
use suite::client::Wire;

use crate::cast::{assigned, customer_writes, message, route, team};
use crate::world::{ORG, World};

/// Calls, each cut off at another moment.
const CALLS: u64 = 2_000;

/// Calls at a time.
const AT_ONCE: usize = 32;

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
        let most_patient = (begun.elapsed() * 3).max(Duration::from_millis(300));

        let calls = (0..CALLS).map(|number| {
            let request = note(number);
            let mut notes = authors[number as usize % authors.len()].notes();
            // From "before it is sent" to "long answered".
            let patience = most_patient.mul_f64((number * 997 % CALLS) as f64 / CALLS as f64);
            async move {
                let answer = tokio::time::timeout(patience, notes.create_note(request)).await.ok()?;
                // Not answered: its connection was closed for the sake of others' cuts.
                answer.ok().map(|answer| answer.into_inner().note.unwrap().note_id)
            }
        });
        let acknowledged: Vec<String> = futures::StreamExt::collect::<Vec<_>>(
            futures::StreamExt::buffer_unordered(futures::stream::iter(calls), AT_ONCE),
        )
        .await
        .into_iter()
        .flatten()
        .collect();
        let answered = acknowledged.len();
        assert!(answered > 50 && answered < CALLS as usize, "some were cut and some answered: {answered}");

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
