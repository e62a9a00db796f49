//! Fault 12: a validator over the histories of streams, as etcd has for its watches. Whatever is cut wherever, what a
//! reader gets is ordered, unique, gapless, and in the end everything.

use std::collections::HashMap;
use std::time::Duration;

use crate::support::*;
use proto::common::v1::EventDisposition;
use proto::notifications::v1::subscribe_response::Frame;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use testkit::Suite;
use tokio::sync::watch;

const READERS: [&str; 3] = ["ana", "ben", "cleo"];
/// Entries in each reader's feed at the end.
fn all_entries() -> usize {
    figure(5_000, 50_000)
}
const SENDERS: usize = 4;
const BATCH: usize = 25;
/// Cuts of each reader's stream.
fn all_cuts() -> usize {
    figure(100, 1_000)
}

/// What one reader was shown, over all of its streams.
#[derive(Default)]
struct History {
    /// Sequence and event, told apart by its conversation, in the order of arrival.
    entries: Vec<(i64, String)>,
    streams: usize,
}

impl History {
    /// Ordered, unique and gapless: each number is one more than the one before.
    fn check_order(&self) {
        for (index, (sequence, _)) in self.entries.iter().enumerate() {
            assert_eq!(*sequence, index as i64 + 1, "after {} streams", self.streams);
        }
    }

    /// Reliable: exactly what was sent, each once.
    fn check_content(&self, mut sent: Vec<String>) {
        let mut seen: Vec<String> = self.entries.iter().map(|(_, event)| event.clone()).collect();
        sent.sort();
        seen.sort();
        assert!(sent == seen, "{} sent, {} seen", sent.len(), seen.len());
    }
}

/// Reads a feed to its end, cutting the stream at random: after some frames, in the middle of silence, or at once, and
/// resuming behind some frame that was read.
async fn read_with_cuts(
    suite: &Suite,
    subject: &str,
    seed: u64,
    mut all_sent: watch::Receiver<bool>,
) -> History {
    let (entries, cuts) = (all_entries(), all_cuts());
    let mut rng = StdRng::seed_from_u64(seed);
    let mut history = History::default();
    let mut person = person(suite, "acme", subject);
    let mut start = earliest();
    while history.entries.len() < entries {
        // Another connection now and then, as a device that moves between networks.
        if rng.random_ratio(1, 4) {
            person = crate::support::person(suite, "acme", subject);
        }
        let mut stream = subscribe(&mut person, start.clone()).await.unwrap();
        history.streams += 1;
        let frames =
            if history.streams <= cuts { rng.random_range(0..2 * entries / cuts) } else { usize::MAX };
        for _ in 0..frames {
            let patience = if *all_sent.borrow_and_update() { PATIENCE } else { Duration::from_millis(500) };
            let Ok(frame) = tokio::time::timeout(patience, stream.message()).await else { break };
            let frame = frame.unwrap().expect("the server does not end it");
            match frame.frame {
                Some(Frame::Notification(entry)) => {
                    history.entries.push((entry.sequence, entry.conversation_id))
                }
                Some(Frame::Opened(_) | Frame::Heartbeat(_)) => {}
                other => panic!("{other:?}"),
            }
            start = resume(&frame.resume_token);
            if history.entries.len() >= entries {
                break;
            }
        }
    }
    history
}

testkit::on_both_databases! {
    // D3, P14, fault 12
    async fn cuts_anywhere_lose_repeat_and_reorder_nothing(engine) {
        let suite = std::sync::Arc::new(suite(engine).await);
        let (all_sent, sent_all) = watch::channel(false);
        let readers: Vec<_> = READERS.into_iter().enumerate().map(|(index, subject)| {
            let (suite, sent_all) = (suite.clone(), sent_all.clone());
            tokio::spawn(async move { (subject, read_with_cuts(&suite, subject, index as u64, sent_all).await) })
        }).collect();
        let senders: Vec<_> = (0..SENDERS).map(|_| {
            let mut ingest = ingest(&suite, "acme");
            tokio::spawn(async move {
                let mut sent = Vec::new();
                for _ in 0..all_entries() / SENDERS / BATCH {
                    let events: Vec<_> = (0..BATCH).map(|_| mention(&READERS)).collect();
                    let outcomes = notify(&mut ingest, events.clone()).await;
                    // Every tenth batch twice, as after an answer that was lost.
                    if sent.len() % (10 * BATCH) == 0 {
                        let again = notify(&mut ingest, events.clone()).await;
                        assert!(dispositions(&again).iter().all(|it| *it == EventDisposition::Duplicate));
                    }
                    assert_eq!(outcomes.len(), BATCH);
                    sent.extend(events.into_iter().map(|event| event.conversation_id));
                }
                sent
            })
        }).collect();
        let mut sent = Vec::new();
        for sender in senders {
            sent.extend(sender.await.unwrap());
        }
        all_sent.send(true).unwrap();
        assert_eq!(sent.len(), all_entries());
        let mut orders = HashMap::new();
        for reader in readers {
            let (subject, history) = reader.await.unwrap();
            history.check_order();
            history.check_content(sent.clone());
            assert!(history.streams > all_cuts() / 2, "{subject}: {} streams", history.streams);
            orders.insert(subject, history);
        }
        assert_eq!(orders.len(), READERS.len());
    }
}
