//! Server streams (P14): one driver for all of them.
//!
//! A stream sends `opened` at once, then what its [`Feed`] holds, in order, each frame with a token to resume behind it;
//! a heartbeat after 20 s of silence; and, where the server ends it, a last frame that says why. Nothing is pushed into
//! it: the driver reads the feed's store when the reader has room, so a slow reader costs one batch and not a buffer,
//! and what it has missed it finds in the store, or it is told to list again when the store has let it go.

mod driver;
mod listeners;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures::Stream;
use kernel::Timestamp;
use proto::common::v1::{ClosingReason, StreamStart, stream_start};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::{Call, Fault};

pub use driver::Ends;
pub use listeners::{Listener, Listeners, Outage};

/// What a handler answers with; also the associated type of the generated server trait.
pub type Live<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Where a stream begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Behind the frame that carried this token.
    Resume(String),
    /// With what happens from now on.
    Now,
    /// With the oldest entry that is still kept.
    Earliest,
}

impl From<Option<StreamStart>> for Start {
    fn from(start: Option<StreamStart>) -> Self {
        match start.and_then(|start| start.start) {
            Some(stream_start::Start::ResumeToken(token)) => Self::Resume(token),
            Some(stream_start::Start::Earliest(_)) => Self::Earliest,
            Some(stream_start::Start::FromNow(_)) | None => Self::Now,
        }
    }
}

/// Entries of a feed, oldest first: where each is, and its frame; no frame for what this reader may not see.
pub type Entries<F> = Vec<(<F as Feed>::Cursor, Option<<F as Feed>::Frame>)>;

/// Why a feed cannot go on.
#[derive(Debug)]
pub enum Halt {
    /// What comes next for this reader is no longer kept; the oldest that is kept is of this time.
    Resync {
        /// The time of the oldest entry still kept.
        oldest: Timestamp,
    },
    /// Something failed. UNAVAILABLE and DEADLINE_EXCEEDED close the stream in-band, others are its status.
    Fault(Fault),
}

impl<E: Into<Fault>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

/// An ordered, stored sequence of entries that one reader follows.
pub trait Feed: Send + Sync + 'static {
    /// A message of the stream.
    type Frame: Send + 'static;
    /// A place in the sequence. Frames carry it sealed, as their resume token.
    type Cursor: Clone + Send + Sync + 'static;

    /// The place from which to read. A resume token is opened here, and checked against what is still kept.
    fn start(&self, from: Start) -> impl Future<Output = Result<Self::Cursor, Halt>> + Send;

    /// At most `limit` entries behind a place; fewer mean that these are all for now. Entries must become visible in the
    /// order of their cursors, or a reader would step over those that come late.
    fn next(
        &self,
        after: &Self::Cursor,
        limit: usize,
    ) -> impl Future<Output = Result<Entries<Self>, Halt>> + Send
    where
        Self: Sized;

    /// Resolves when there may be more than `next` last saw. It is dropped while pending, by a heartbeat for one, and called again: it
    /// must remember a wake-up that came while nobody waited, as a `tokio::sync::broadcast` receiver does, and one that it had begun to
    /// answer. Between wake-ups the feed is read every [`Rhythm::poll`] and not with each heartbeat: where that is long, something
    /// else has to wake a reader whose wake-up was lost, who cannot be reached, or whose feed is gone.
    fn woken(&mut self) -> impl Future<Output = ()> + Send;

    /// The first frame.
    fn opened(&self, at: &Self::Cursor) -> Self::Frame;

    /// The frame of a silent time.
    fn heartbeat(&self, at: &Self::Cursor) -> Self::Frame;

    /// The last frame, where the server ends the stream.
    fn closing(&self, at: &Self::Cursor, reason: ClosingReason) -> Self::Frame;

    /// The last frame, where the reader must list again.
    fn resync_required(&self, oldest: Timestamp) -> Self::Frame;
}

/// The times of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    /// The longest silence.
    pub heartbeat: Duration,
    /// How often the store is read when no wake-up came.
    pub poll: Duration,
    /// After about this long (give or take a tenth) the stream is closed, so that readers spread over new servers.
    pub rotation: Duration,
    /// How many entries are read at once: all that a slow reader holds in memory.
    pub batch: usize,
}

impl Default for Rhythm {
    fn default() -> Self {
        let (heartbeat, poll) = (Duration::from_secs(20), Duration::from_secs(1));
        Self { heartbeat, poll, rotation: Duration::from_secs(30 * 60), batch: 64 }
    }
}

/// Follows a feed for the caller, until the caller leaves, the token ends, about 30 minutes are over, or `shutdown`.
///
/// # Errors
/// The [`Fault`] with which the feed refuses to start. Later ones are in the stream.
pub async fn live<F: Feed>(
    call: &Call,
    start: Start,
    feed: F,
    shutdown: CancellationToken,
) -> Result<Live<F::Frame>, Fault> {
    live_at(Rhythm::default(), call, start, feed, shutdown).await
}

/// [`live`], at another rhythm.
///
/// # Errors
/// As [`live`].
pub async fn live_at<F: Feed>(
    rhythm: Rhythm,
    call: &Call,
    start: Start,
    feed: F,
    shutdown: CancellationToken,
) -> Result<Live<F::Frame>, Fault> {
    let ends = driver::Ends::new(&rhythm, call.token_ends, shutdown);
    match feed.start(start).await {
        Ok(cursor) => Ok(Box::pin(driver::drive(rhythm, ends, feed, cursor))),
        Err(Halt::Resync { oldest }) => {
            let frame = feed.resync_required(oldest);
            Ok(Box::pin(futures::stream::once(async { Ok(frame) })))
        }
        Err(Halt::Fault(fault)) => Err(fault),
    }
}
