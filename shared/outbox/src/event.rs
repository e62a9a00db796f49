//! The producer's side: events recorded in the transaction of the effect they tell about.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use db::{DbError, Tx};
use kernel::{EventId, Timestamp};
use tokio::sync::watch;
use uuid::Uuid;

use crate::trace;

/// The time of the first attempt: at once. Nobody's clock is asked for it, which saves a round trip to PostgreSQL.
const AT_ONCE: Timestamp = Timestamp::from_micros(0);

/// Something that happened and has to be told to a peer.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// The name by which the consumer knows a repeat. Made by [`kernel::Clock::new_id`].
    pub event_id: EventId,
    /// The peer to tell, as named in [`crate::Relay::new`]'s targets (`"notifications"`).
    pub target: &'static str,
    /// What happened (`"conversation_assigned"`), for people who read dead letters and metrics.
    pub kind: &'static str,
    /// The consumer's event message, encoded by prost.
    pub payload: Vec<u8>,
    /// Events of one key reach the peer in the order of recording, one at a time: each waits until the one before is
    /// done or dead. `None` where order does not matter; such events travel together and arrive sooner.
    pub key: Option<Uuid>,
}

impl std::fmt::Debug for Event {
    /// Without the payload: it is content and must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("event_id", &self.event_id)
            .field("target", &self.target)
            .field("kind", &self.kind)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// The bell of each target's lane.
type Bells = HashMap<&'static str, watch::Sender<u64>>;

/// A service's outbox: records events, and wakes those lanes of the service's relay that have some, once they are durable.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    bells: Arc<Mutex<Bells>>,
}

impl Outbox {
    /// An outbox whose relay is made with [`crate::Relay::new`] from a clone of it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records `events` in the caller's transaction; the relay is woken when it commits. Their delivery goes on with
    /// the trace of the span this is called in.
    ///
    /// The order of one key's events is the order of their transactions only if these transactions exclude one
    /// another, as they do when each locks or updates the row that the key names.
    ///
    /// # Errors
    /// [`DbError`] of the insert, and [`DbError::Unique`] if an event id was recorded before for its target.
    pub async fn record(&self, tx: &mut Tx, events: &[Event]) -> Result<(), DbError> {
        if events.is_empty() {
            return Ok(());
        }
        let now = tx.clock().now();
        let traceparent = trace::here();
        for chunk in events.chunks(db::ROWS) {
            let sql = format!(
                "INSERT INTO outbox (org_id, event_id, target, kind, ordering_key, payload, next_attempt_time, \
                 create_time, traceparent) VALUES {}",
                db::org_rows(chunk.len(), 8)
            );
            let mut query = tx.query_dynamic(sql);
            for event in chunk {
                query = query
                    .bind(event.event_id)
                    .bind(event.target)
                    .bind(event.kind)
                    .bind(event.key)
                    .bind(event.payload.clone())
                    .bind(AT_ONCE)
                    .bind(now)
                    .bind(traceparent.clone());
            }
            query.execute(tx).await?;
        }
        let outbox = self.clone();
        let targets: BTreeSet<&'static str> = events.iter().map(|event| event.target).collect();
        tx.after_commit(move || outbox.ring_for(&targets));
        Ok(())
    }

    /// Wakes all of this service's relay, as after a dead letter was given another chance.
    pub fn ring(&self) {
        self.bells().values().for_each(ring);
    }

    fn ring_for(&self, targets: &BTreeSet<&'static str>) {
        let bells = self.bells();
        targets.iter().filter_map(|target| bells.get(target)).for_each(ring);
    }

    /// The bell of a target's lane. One that nobody listens to yet has nothing to miss: a lane looks before it waits.
    pub(crate) fn listen(&self, target: &'static str) -> watch::Receiver<u64> {
        self.bells().entry(target).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    fn bells(&self) -> MutexGuard<'_, Bells> {
        // A panic under the lock leaves the map whole: each change to it is one call.
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ring(bell: &watch::Sender<u64>) {
    bell.send_modify(|rung| *rung = rung.wrapping_add(1));
}
