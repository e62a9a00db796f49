//! The beginning of a note goes along with what people are told of it only where the organization wants it in its emails.

use proto::notes::v1::*;

use crate::peers::Mood;
use crate::world::World;

testkit::on_both_databases! {
    // D4, N3
    async fn what_a_note_says_goes_along_only_where_the_organization_wants_it(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        let mut ana = world.agent("ana");
        world.written(&mut ana, "@bob canary").await;
        let (notified, _) = world.peers.told(3).await;
        assert_eq!((notified.len(), notified[0].private_excerpt.as_str()), (1, ""));
        let wanting = World::on(engine).await;
        wanting.peers.agent("bob");
        wanting.peers.wants_excerpts();
        let mut ana = wanting.agent("ana");
        let body = format!("@bob   please\n\n- call him {}", "ä".repeat(500));
        wanting.written(&mut ana, &body).await;
        let (notified, _) = wanting.peers.told(3).await;
        let excerpt = &notified[0].private_excerpt;
        assert!(excerpt.starts_with("@bob please - call him ää"), "{excerpt}");
        assert_eq!(excerpt.chars().count(), 300);
        assert!(!notified[0].reason.contains("call him"), "{}", notified[0].reason);
    }

    // D4
    async fn a_note_that_is_gone_by_then_goes_nowhere(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        world.peers.wants_excerpts();
        world.allow_tombstones().await;
        world.peers.make_notifications(Mood::Down);
        let mut ana = world.agent("ana");
        let note = world.written(&mut ana, "@bob canary").await;
        ana.delete_note(DeleteNoteRequest { note_id: note.note_id.clone(), ..Default::default() }).await.unwrap();
        world.peers.make_notifications(Mood::Well);
        let (notified, _) = world.peers.told(3).await;
        assert_eq!((notified.len(), notified[0].private_excerpt.as_str()), (1, ""), "{notified:?}");
    }
}
