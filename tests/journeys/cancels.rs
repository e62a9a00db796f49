//! A client that goes away in the middle of a call loses nothing that was acknowledged and leaves nothing behind.

use std::time::Duration;

use kernel::Clock;
use proto::notes::v1 as notes;

use crate::cast::{assigned, customer_writes, message, route, team};
use crate::world::World;

/// Calls, each cut off at another moment.
const CALLS: u64 = 2_000;

testkit::on_both_databases! {
    // Faults 5
    async fn calls_cut_off_at_any_moment_lose_no_acknowledged_note(engine) {
        let world = World::one_process(engine).await;
        let team = team(&world, "flights", &["ana"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("airline", "x-1", 0, "hello")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let author = &team.agents[0].api;
        let clock = Clock::system();
        let calls = (0..CALLS).map(|number| {
            let request = notes::CreateNoteRequest {
                conversation_id: conversation.conversation_id.clone(),
                body: format!("note {number}"),
                request_id: clock.new_id().to_string(),
            };
            let mut notes = author.notes();
            // From "before it is sent" to "long answered".
            let patience = Duration::from_micros(number * 97 % 40_000);
            async move {
                let answer = tokio::time::timeout(patience, notes.create_note(request)).await;
                answer.ok().map(|answer| answer.unwrap().into_inner().note.unwrap().note_id)
            }
        });
        let acknowledged: Vec<String> = futures::StreamExt::collect::<Vec<_>>(
            futures::StreamExt::buffer_unordered(futures::stream::iter(calls), 32),
        )
        .await
        .into_iter()
        .flatten()
        .collect();
        assert!(!acknowledged.is_empty(), "some calls were answered");

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
