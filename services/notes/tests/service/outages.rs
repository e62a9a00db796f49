//! What happens to notes while a peer is down or slow.

use std::time::{Duration, Instant};

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::note_service_client::NoteServiceClient;
use testkit::Suite;
use tonic::Code;

use crate::peers::{Mood, Peers};
use crate::world::{World, refusal};

testkit::on_both_databases! {
    // N1, P8
    async fn without_routing_nothing_is_written_and_the_caller_may_retry(engine) {
        let world = World::on(engine).await;
        world.peers.make_routing(Mood::Down);
        for body in ["without mentions", "@bob look"] {
            let (code, reason, _) = refusal(world.agent("ana").create_note(world.note(body)).await);
            assert_eq!((code, reason), (Code::Unavailable, Some(ErrorReason::DependencyUnavailable)));
        }
        world.peers.make_routing(Mood::Well);
        assert!(world.all().await.is_empty());
        world.written(&mut world.agent("ana"), "@bob look").await;
    }

    // N1, P8
    async fn a_routing_nobody_can_reach_is_unavailable(engine) {
        let peers = Peers::default();
        let suite = Suite::of([notes::unit(), peers.notifications_unit()])
            .on(engine)
            .configured(|config| {
                config.peers.routing = Some("http://127.0.0.1:9".to_owned());
                config.peers.contacts = Some("http://127.0.0.1:9".to_owned());
            })
            .start()
            .await;
        let mut ana = NoteServiceClient::new(suite.client("acme", "ana", Role::Agent));
        let request = proto::notes::v1::CreateNoteRequest {
            conversation_id: peers.conversation("acme"),
            body: "hello".to_owned(),
            ..Default::default()
        };
        let (code, reason, _) = refusal(ana.create_note(request).await);
        assert_eq!((code, reason), (Code::Unavailable, Some(ErrorReason::DependencyUnavailable)));
    }

    // N1, P8
    async fn a_slow_routing_costs_no_more_than_the_deadline(engine) {
        // The server's own deadline: tonic's client has a timer for one that the call names, and hides what the server does.
        let world = World::with_deadline(engine, 400).await;
        world.peers.make_routing(Mood::Slow(Duration::from_secs(20)));
        for body in ["without mentions", "@bob look"] {
            let (mut ana, started) = (world.agent("ana"), Instant::now());
            let (code, reason, _) = refusal(ana.create_note(world.note(body)).await);
            assert_eq!((code, reason), (Code::DeadlineExceeded, Some(ErrorReason::DeadlineExceeded)));
            assert!(started.elapsed() < Duration::from_millis(400 + 200), "{:?}", started.elapsed());
        }
        world.peers.make_routing(Mood::Well);
        assert!(world.all().await.is_empty());
    }

    // N7
    async fn a_mention_written_while_notifications_is_down_arrives_later_and_once(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        world.peers.make_notifications(Mood::Down);
        let note = world.written(&mut world.agent("ana"), "@bob look").await;
        assert!(world.peers.told(2).await.0.is_empty());
        world.peers.make_notifications(Mood::Well);
        let (notified, _) = world.peers.told(3).await;
        assert_eq!(notified.len(), 1);
        assert_eq!(notified[0].note_id, note.note_id);
    }

    // P9
    async fn notes_and_their_events_survive_a_restart(engine) {
        let mut world = World::on(engine).await;
        world.peers.agent("bob");
        world.peers.make_notifications(Mood::Down);
        let note = world.written(&mut world.agent("ana"), "@bob look").await;
        world.suite.restart().await;
        world.peers.make_notifications(Mood::Well);
        assert_eq!(world.all().await, [note]);
        assert_eq!(world.peers.told(3).await.0.len(), 1, "the event is still there after the restart");
    }
}
