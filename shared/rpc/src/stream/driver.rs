//! The loop under every stream: read, send, wait.

use async_stream::stream;
use futures::Stream;
use proto::common::v1::ClosingReason;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::{Feed, Halt, Rhythm};
use crate::Call;

/// When the server ends a stream. For streams that follow no feed: one that takes a file, or writes one.
#[derive(Debug)]
pub struct Ends {
    token: Instant,
    rotation: Instant,
    shutdown: CancellationToken,
}

impl Ends {
    pub(super) fn new(rhythm: &Rhythm, token: Instant, shutdown: CancellationToken) -> Self {
        // Spread, so that streams that opened together (after a restart) do not come back together for ever.
        let lifetime = rhythm.rotation.mul_f64(rand::random_range(0.9..1.1));
        Self { token, rotation: Instant::now() + lifetime, shutdown }
    }

    /// Of a stream of this call: its token's end, about 30 minutes, `shutdown`.
    #[must_use]
    pub fn of(call: &Call, shutdown: CancellationToken) -> Self {
        Self::new(&Rhythm::default(), call.token_ends, shutdown)
    }

    /// Why it ends now, if it does.
    pub fn due(&self) -> Option<ClosingReason> {
        let now = Instant::now();
        if now >= self.token {
            Some(ClosingReason::TokenExpired)
        } else if self.shutdown.is_cancelled() {
            Some(ClosingReason::Shutdown)
        } else if now >= self.rotation {
            Some(ClosingReason::Rotation)
        } else {
            None
        }
    }

    /// Resolves when it is due.
    pub async fn come(&self) {
        tokio::select! {
            () = sleep_until(self.token.min(self.rotation)) => {}
            () = self.shutdown.cancelled() => {}
        }
    }
}

enum Event {
    End,
    Silence,
    Read,
}

/// Everything happens when the reader polls: who does not read makes no work, and the ends are looked at before each
/// frame, so that a reader who comes back after its token ended gets nothing more than the closing.
pub(super) fn drive<F: Feed>(
    rhythm: Rhythm,
    ends: Ends,
    mut feed: F,
    mut at: F::Cursor,
) -> impl Stream<Item = Result<F::Frame, Status>> + Send {
    stream! {
        yield Ok(feed.opened(&at));
        let mut sent = Instant::now();
        loop {
            if let Some(reason) = ends.due() {
                yield Ok(feed.closing(&at, reason));
                return;
            }
            let entries = match feed.next(&at, rhythm.batch).await {
                Ok(entries) => entries,
                Err(halt) => {
                    yield last(&feed, &at, halt);
                    return;
                }
            };
            let more = entries.len() >= rhythm.batch;
            for (cursor, frame) in entries {
                if let Some(reason) = ends.due() {
                    yield Ok(feed.closing(&at, reason));
                    return;
                }
                at = cursor;
                if let Some(frame) = frame {
                    yield Ok(frame);
                    sent = Instant::now();
                }
            }
            if more {
                continue;
            }
            // A heartbeat reads nothing: thousands of idle streams would read all the time, for nothing.
            let look = Instant::now() + rhythm.poll;
            while let Event::Silence = wait(&ends, sent + rhythm.heartbeat, look, &mut feed).await {
                yield Ok(feed.heartbeat(&at));
                sent = Instant::now();
            }
        }
    }
}

async fn wait<F: Feed>(ends: &Ends, silence: Instant, look: Instant, feed: &mut F) -> Event {
    tokio::select! {
        biased;
        () = ends.come() => Event::End,
        () = sleep_until(silence) => Event::Silence,
        () = feed.woken() => Event::Read,
        () = sleep_until(look) => Event::Read,
    }
}

fn last<F: Feed>(feed: &F, at: &F::Cursor, halt: Halt) -> Result<F::Frame, Status> {
    match halt {
        Halt::Resync { oldest } => Ok(feed.resync_required(oldest)),
        Halt::Fault(fault) if matches!(fault.code(), Code::Unavailable | Code::DeadlineExceeded) => {
            Ok(feed.closing(at, ClosingReason::Unavailable))
        }
        Halt::Fault(fault) => Err(fault.into()),
    }
}
