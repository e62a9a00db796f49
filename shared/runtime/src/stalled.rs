//! Answers whose reader takes nothing.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// The answers of one connection that wait for their reader, and since when.
///
/// Flow control lets a reader take nothing for ever, while answering every ping, and the server then no longer asks the
/// answer's body for more: no time limit inside the body is ever looked at, and what was made of the answer stays in
/// memory. So the connection looks after its answers from outside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last: AtomicU64,
    waiting: Mutex<HashMap<u64, Instant>>,
}

impl Answers {
    /// Whether an answer has been waiting for so long.
    pub(crate) fn any_stalled(&self, patience: Duration) -> bool {
        let now = Instant::now();
        self.waiting().values().any(|since| now.duration_since(*since) >= patience)
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Instant>> {
        // A panic under the lock leaves the map whole: each change is one call.
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waits(&self, answer: u64) {
        self.waiting().insert(answer, Instant::now());
    }

    fn taken(&self, answer: u64) {
        self.waiting().remove(&answer);
    }
}

/// A body that tells whether its reader has room. It is asked for a frame only then: from each frame to the next question,
/// and from its beginning to the first, it waits for its reader.
pub(crate) struct Watched<B> {
    body: B,
    answer: u64,
    of: Answers,
}

impl<B> Watched<B> {
    pub(crate) fn over(body: B, of: &Answers) -> Self {
        let answer = of.0.last.fetch_add(1, Ordering::Relaxed);
        of.waits(answer);
        Self { body, answer, of: of.clone() }
    }
}

impl<B: Body + Unpin> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.of.taken(self.answer);
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(&polled, Poll::Ready(Some(Ok(_)))) {
            self.of.waits(self.answer);
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

impl<B> Drop for Watched<B> {
    fn drop(&mut self) {
        self.of.taken(self.answer);
    }
}
