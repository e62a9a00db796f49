//! Fault 13: readers who open a stream and read nothing of it.

use std::time::Duration;

use kernel::{Clock, Role};
use proto::notifications::v1 as pb;
use proto::notifications::v1::ingest_service_client::IngestServiceClient;
use proto::notifications::v1::notification_service_client::NotificationServiceClient;
use proto::notifications::v1::subscribe_response::Frame;
use rpc::convert::proto_time;
use testkit::{Bearer, Client, Engine};
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

use crate::assigners::figure;
use crate::world::{ORG, World};

/// What they may cost the process more, all together.
const MORE_BYTES: u64 = 64 * 1024 * 1024;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A connection of its own: readers who share one share its window as well.
fn connection(address: &str) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy()
}

/// The stream of somebody, open.
async fn stream(world: &World, address: &str, subject: &str) -> Streaming<pb::SubscribeResponse> {
    let client = Client::new(connection(address), Bearer::new(&world.token(ORG, subject, Role::Agent)));
    let mut feed = NotificationServiceClient::new(client);
    let mut stream = feed.subscribe(pb::SubscribeRequest::default()).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert!(matches!(first.frame, Some(Frame::Opened(_))), "{first:?}");
    stream
}

/// Tells everybody so many things, as much as a call takes at a time.
async fn tell(world: &World, address: &str, recipients: &[String], events: usize) {
    let clock = Clock::system();
    let client = Client::new(connection(address), Bearer::new(&world.token(ORG, "notes", Role::Service)));
    let mut ingest = IngestServiceClient::new(client);
    for _ in 0..events {
        let event = pb::NotificationEvent {
            event_id: clock.new_id().to_string(),
            r#type: pb::NotificationType::Mentioned.into(),
            recipient_subjects: recipients.to_vec(),
            // As long as one may be, so that it takes fewer of them to fill what a connection holds.
            reason: "x".repeat(500),
            occur_time: Some(proto_time(clock.now())),
            ..Default::default()
        };
        ingest.notify(pb::NotifyRequest { events: vec![event] }).await.unwrap();
    }
}

async fn notification(stream: &mut Streaming<pb::SubscribeResponse>) -> i64 {
    loop {
        let next = tokio::time::timeout(PATIENCE, stream.message()).await.expect("a notification in time");
        match next.unwrap().expect("the stream goes on").frame {
            Some(Frame::Notification(it)) => return it.sequence,
            Some(Frame::Heartbeat(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// What the process has in memory.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

// Fault 13, D3
#[test]
fn readers_who_stall_cost_little_hold_nobody_up_and_miss_nothing() {
    testkit::run(async {
        let (readers, events) = (figure(50, 500), figure(300, 1_000));
        let limits = [("BACKCHANNEL_LIMITS__STREAMS", "2000")];
        let mut world = World::four_processes_with(Engine::Sqlite, &limits).await;
        let (process, address) = {
            let process = world.process("notifications");
            (process.id(), process.grpc.clone())
        };
        let subjects: Vec<String> = (0..readers).map(|number| format!("reader-{number}")).collect();
        // What everybody's entries cost the process by themselves: nobody follows them yet.
        tell(&world, &address, &subjects, events).await;
        let mut brisk = stream(&world, &address, "brisk").await;
        let before = resident(process);

        let mut stalled = Vec::new();
        for subject in &subjects {
            stalled.push(stream(&world, &address, subject).await);
        }
        let everybody: Vec<String> = subjects.iter().cloned().chain(["brisk".to_owned()]).collect();
        for number in 1..=events {
            tell(&world, &address, &everybody, 1).await;
            assert_eq!(notification(&mut brisk).await, number as i64, "held up by who stalls");
        }
        let more = resident(process).saturating_sub(before);
        println!("{readers} stalled readers, {events} entries each: {} KiB more", more / 1024);
        assert!(more < MORE_BYTES, "{readers} readers cost {more} bytes");

        // Each goes on where it stalled.
        let first = events as i64 + 1;
        for stream in stalled.iter_mut().take(5) {
            for number in 0..events as i64 {
                assert_eq!(notification(stream).await, first + number);
            }
        }
        drop(stalled);
        world.stop().await;
    });
}
