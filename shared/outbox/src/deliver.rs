//! The other end of the relay: one implementor of [`Deliver`] per peer.

use futures::future::BoxFuture;
use kernel::{EventId, OrgId, Timestamp};
use thiserror::Error;
use uuid::Uuid;

/// An event on its way to a peer.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The name by which the consumer knows a repeat.
    pub event_id: EventId,
    /// What happened, as the producer named it when it recorded the event.
    pub kind: String,
    /// Events of one key arrive in the order in which they were recorded.
    pub key: Option<Uuid>,
    /// The consumer's event message, encoded.
    pub payload: Vec<u8>,
    /// When it was recorded.
    pub create_time: Timestamp,
}

impl std::fmt::Debug for Outgoing {
    /// Without the payload: it is content and must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing")
            .field("event_id", &self.event_id)
            .field("kind", &self.kind)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What the consumer said to one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect, now or at an earlier delivery.
    Done,
    /// The consumer will not have it: tried again with growing waits, then a dead letter.
    Refused {
        /// Why, as a code or reason name; never content.
        reason: String,
    },
}

/// Why a whole batch was not answered event by event.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Undelivered {
    /// The peer is down, overloaded or too slow: tried again for ever, never a dead letter.
    #[error("peer unreachable: {0}")]
    Unreachable(String),
    /// The peer refused the call as a whole. The relay then sends the events one by one to find the culprit.
    #[error("batch refused: {0}")]
    Refused(String),
}

/// Sends events to one peer. Implemented by the service that records them, usually one gRPC call per batch.
pub trait Deliver: Send + Sync + 'static {
    /// Sends up to 100 events of `org`, oldest first, at most one per ordering key, and answers for each in the same
    /// order.
    ///
    /// # Errors
    /// [`Undelivered`] if the call as a whole failed. Some or all events may have taken effect nevertheless: the
    /// consumer's inbox drops the repeat.
    fn deliver<'a>(
        &'a self,
        org: &'a OrgId,
        batch: Vec<Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>>;
}
