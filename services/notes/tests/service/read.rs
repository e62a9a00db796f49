//! Reading notes page by page.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::*;
use tonic::Code;

use crate::peers::Mood;
use crate::world::{World, refusal, request_id};

fn page(conversation_id: &str, page_size: i32, page_token: &str) -> ListNotesRequest {
    ListNotesRequest {
        conversation_id: conversation_id.to_owned(),
        page_size,
        page_token: page_token.to_owned(),
    }
}

/// The texts of each page.
async fn pages(world: &World, size: i32) -> Vec<Vec<String>> {
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let request = page(&world.conversation, size, &token);
        let answer = world.agent("reader").list_notes(request).await.unwrap().into_inner();
        pages.push(answer.notes.into_iter().map(|note| note.body).collect());
        if answer.next_page_token.is_empty() {
            return pages;
        }
        token = answer.next_page_token;
    }
}

testkit::on_both_databases! {
    // N1, P7
    async fn notes_come_oldest_first_and_the_pages_hold_each_once(engine) {
        let world = World::on(engine).await;
        for n in 0..7 {
            world.written(&mut world.agent("ana"), &format!("{n}")).await;
        }
        assert_eq!(pages(&world, 3).await, [vec!["0", "1", "2"], vec!["3", "4", "5"], vec!["6"]]);
        assert_eq!(pages(&world, 7).await.len(), 1, "a full last page is the end");
        assert_eq!(pages(&world, 0).await[0].len(), 7);
    }

    // P7
    async fn long_notes_make_shorter_pages_and_none_is_lost(engine) {
        let world = World::on(engine).await;
        let text = |n: usize| format!("{n} {}", "x".repeat(65_000));
        for n in 0..70 {
            world.written(&mut world.agent("ana"), &text(n)).await;
        }
        let pages = pages(&world, 200).await;
        assert!(pages.len() > 1, "one answer would be over the 4 MiB that clients take");
        let all: Vec<String> = pages.concat();
        assert_eq!(all, (0..70).map(text).collect::<Vec<_>>());
    }

    // P7
    async fn a_token_works_for_its_own_list_only(engine) {
        let world = World::on(engine).await;
        for n in 0..3 {
            world.written(&mut world.agent("ana"), &format!("{n}")).await;
        }
        let answer = world.agent("ana").list_notes(page(&world.conversation, 1, "")).await.unwrap().into_inner();
        let other = world.peers.conversation("acme");
        let mut globex = world.foreigner("globex", "ana", Role::Agent);
        for refused in [
            world.agent("ana").list_notes(page(&other, 1, &answer.next_page_token)).await,
            globex.list_notes(page(&world.conversation, 1, &answer.next_page_token)).await,
            world.agent("ana").list_notes(page(&world.conversation, 1, "garbage")).await,
        ] {
            let (code, reason, _) = refusal(refused);
            assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::InvalidPageToken)));
        }
    }

    // N1, P1
    async fn a_conversation_without_notes_has_none_and_an_unknown_one_is_not_found(engine) {
        let world = World::on(engine).await;
        assert!(world.all().await.is_empty());
        world.written(&mut world.agent("ana"), "ours").await;
        let mut globex = world.foreigner("globex", "sub-ana", Role::Admin);
        let mut answers = Vec::new();
        for id in [world.conversation.clone(), request_id()] {
            let (code, _, status) = refusal(globex.list_notes(page(&id, 0, "")).await);
            assert_eq!(code, Code::NotFound);
            answers.push((status.message().to_owned(), status.details().to_vec()));
        }
        assert_eq!(answers[0], answers[1]);
    }

    // N1
    async fn notes_can_be_read_while_routing_is_away(engine) {
        let world = World::on(engine).await;
        let note = world.written(&mut world.agent("ana"), "still here").await;
        world.peers.make_routing(Mood::Down);
        assert_eq!(world.all().await, [note]);
    }
}
