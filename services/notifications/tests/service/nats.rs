//! Fault 7: NATS is gone, or comes back with nothing of what it knew. It only carries wake-ups: what is late is not lost.

use std::time::Duration;

use crate::support::*;
use testkit::Engine;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The way to NATS, which can be cut.
struct Way {
    address: String,
    cut: CancellationToken,
}

impl Way {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let way = Self { address, cut: CancellationToken::new() };
        tokio::spawn(carry(listener, way.cut.clone()));
        way
    }

    /// Every connection ends, and there is nobody to connect to.
    fn cut(&self) {
        self.cut.cancel();
    }

    /// The same address leads there again; subscriptions have to be made anew.
    async fn mend(&mut self) {
        self.cut = CancellationToken::new();
        let listener = loop {
            match TcpListener::bind(&self.address).await {
                Ok(listener) => break listener,
                // The last of the old ones is about to go.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        tokio::spawn(carry(listener, self.cut.clone()));
    }

    fn url(&self) -> String {
        format!("nats://{}", self.address)
    }
}

async fn carry(listener: TcpListener, cut: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = cut.cancelled() => return,
            taken = listener.accept() => {
                let Ok((mut from, _)) = taken else { continue };
                connections.spawn(async move {
                    if let Ok(mut to) = TcpStream::connect(nats()).await {
                        let _ended = copy_bidirectional(&mut from, &mut to).await;
                    }
                });
            }
        }
    }
}

/// Where the tests' NATS listens.
fn nats() -> String {
    let url = std::env::var("BACKCHANNEL_TEST_NATS").expect(
        "BACKCHANNEL_TEST_NATS is not set: start the tests by tests/run, which starts the servers they need",
    );
    url.trim_start_matches("nats://").to_owned()
}

// Fault 7, D3
#[test]
fn without_nats_everything_comes_later_and_nothing_is_lost() {
    testkit::run(async {
        let events = figure(100, 10_000);
        let mut way = Way::open().await;
        let url = way.url();
        let here = builder(Engine::Postgres)
            .configured(move |config| config.nats = Some(runtime::Secret::new(url)))
            .start()
            .await;
        let there = beside(&here, Some(way.url())).await;
        let mut stream = opened(&mut person(&here, "acme", "ana"), from_now()).await;
        let mut ingest = ingest(&there, "acme");
        let mut sent = 0;
        for gone in [false, true, false] {
            if gone {
                way.cut();
            } else if way.cut.is_cancelled() {
                way.mend().await;
            }
            let first = sent + 1;
            for batch in (0..events).collect::<Vec<_>>().chunks(20) {
                notify(&mut ingest, batch.iter().map(|_| mention(&["ana"])).collect()).await;
                sent += batch.len() as i64;
            }
            // Each within the patience of a test, which is the 30 s in which a stream has caught up.
            assert_eq!(take(&mut stream, events).await, (first..=sent).collect::<Vec<i64>>(), "gone: {gone}");
        }
    });
}
