//! Hints inside a process and between processes.
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::SOON;
use db::test_support::org;
use outbox::{Bell, Wake, Woken};

const TOPIC: &str = "feed";

/// A NATS server on a port of its own, killed when dropped.
struct Nats {
    port: u16,
    server: Child,
}

impl Nats {
    fn start(port: u16) -> Self {
        let server = Command::new("nats-server")
            .args(["--addr", "127.0.0.1", "--port", &port.to_string()])
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server is installed: tests/run sees to it");
        Nats { port, server }
    }

    fn url(&self) -> String {
        url(self.port)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

fn url(port: u16) -> String {
    format!("nats://127.0.0.1:{port}")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn rings(bell: &Bell, within: Duration) -> bool {
    tokio::time::timeout(within, bell.rung()).await.is_ok()
}

/// Whether hints get from one to the other before long; hints themselves may be lost, so they are repeated.
async fn reaches(from: &Wake, topic: &'static str, bell: &Bell) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < SOON {
        from.publish(topic, &org("acme"), "ana");
        if rings(bell, Duration::from_millis(50)).await {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_bell_rings_for_its_key_only_and_keeps_a_ring() {
    let wake = Wake::local();
    let (ana, bob) = (wake.bell(TOPIC, &org("acme"), "ana"), wake.bell(TOPIC, &org("acme"), "bob"));
    let foreign = wake.bell(TOPIC, &org("other"), "ana");
    let mut all = wake.subscribe(TOPIC);
    wake.publish(TOPIC, &org("acme"), "ana");
    wake.publish("other topic", &org("acme"), "bob");
    let moment = Duration::from_millis(20);
    assert!(rings(&ana, moment).await);
    assert!(!rings(&ana, moment).await, "one hint, one ring");
    assert!(!rings(&bob, moment).await);
    assert!(!rings(&foreign, moment).await);
    assert_eq!(all.recv().await, Ok(Woken { org: org("acme"), key: "ana".to_owned() }));
}

#[tokio::test]
async fn hints_reach_other_processes_by_nats() {
    let nats = Nats::start(free_port());
    let (here, there) = (Wake::nats(&nats.url()).unwrap(), Wake::nats(&nats.url()).unwrap());
    let bell = there.bell(TOPIC, &org("acme"), "ana");
    assert!(reaches(&here, TOPIC, &bell).await);
    let late = there.bell("another", &org("acme"), "ana");
    assert!(reaches(&here, "another", &late).await, "a topic that is listened to later");
}

// Row 7
#[tokio::test]
async fn nats_being_away_fails_and_blocks_nothing_and_is_forgotten_when_it_comes() {
    let port = free_port();
    let (here, there) = (Wake::nats(&url(port)).unwrap(), Wake::nats(&url(port)).unwrap());
    let (near, far) = (here.bell(TOPIC, &org("acme"), "ana"), there.bell(TOPIC, &org("acme"), "ana"));
    let begun = Instant::now();
    for _ in 0..10_000 {
        here.publish(TOPIC, &org("acme"), "ana");
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "publishing waits for nobody");
    assert!(rings(&near, Duration::from_millis(100)).await, "this process hears itself without NATS");

    let first = Nats::start(port);
    assert!(reaches(&here, TOPIC, &far).await, "NATS may come later than its users");
    drop(first);
    here.publish(TOPIC, &org("acme"), "ana");
    let _second = Nats::start(port);
    assert!(reaches(&here, TOPIC, &far).await, "a new NATS is as good as the old one");
}

#[tokio::test]
async fn an_address_that_cannot_be_read_is_said_at_the_start() {
    let refused = Wake::nats("nats://user:s3cret@host:no-port").unwrap_err();
    assert!(!refused.to_string().contains("s3cret"), "{refused}");
}
