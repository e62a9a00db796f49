use std::sync::Arc;
use std::time::Duration;

use proto::common::v1::ErrorReason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tonic::Code;

use super::{Handle, Inbound, Response, Target, refuse};
use crate::body::{Held, Timed};
use crate::edge::HEALTH;
use crate::{Fault, Limits};

/// Room of their own for health checks, so that a busy process does not look like a dead one. Nobody shares it: anybody
/// may open a stream that needs no token and keep it, and the checks must be answered nevertheless.
const CHECKS: usize = 256;

/// Room for the calls that need no token and have no end: watching health, and reflection.
const OPEN_STREAMS: usize = 64;

/// How long such a call may take, as other streams are rotated: nobody keeps one of the few places for good.
const OPEN_LIFE: Duration = Duration::from_secs(30 * 60);

/// Before a token is even looked at, because under overload the cheapest thing to do with a call is to refuse it at
/// once: work that would time out in a queue is work lost. tonic's own limits do not see how long a stream lasts, so
/// streams are counted here, until their body ends.
pub(crate) struct Admission<N> {
    unary: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    checks: Semaphore,
    open_streams: Arc<Semaphore>,
    next: N,
}

impl<N> Admission<N> {
    pub(crate) fn new(limits: &Limits, next: N) -> Self {
        let room = |places: usize| Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        let (unary, streams) = (room(limits.unary_in_flight), room(limits.streams));
        Self { unary, streams, checks: Semaphore::new(CHECKS), open_streams: room(OPEN_STREAMS), next }
    }
}

impl<N: Handle> Handle for Admission<N> {
    async fn handle(&self, inbound: Inbound) -> Response {
        match inbound.target {
            Target::Open(HEALTH) if !inbound.request.uri().path().ends_with("/Watch") => {
                match self.checks.try_acquire() {
                    Ok(_place) => self.next.handle(inbound).await,
                    Err(_) => refuse(overloaded("health checks")),
                }
            }
            Target::Open(_) => match Arc::clone(&self.open_streams).try_acquire_owned() {
                Ok(place) => {
                    let ends = Instant::now() + OPEN_LIFE;
                    let response = self.next.handle(inbound).await;
                    response.map(|body| Held::over(Timed::over(body, ends, rotated), place))
                }
                Err(_) => refuse(overloaded("open streams without a token")),
            },
            target if target.streams() => match Arc::clone(&self.streams).try_acquire_owned() {
                Ok(place) => {
                    let place = OpenStream::count(place);
                    self.next.handle(inbound).await.map(|body| Held::over(body, place))
                }
                Err(_) => refuse(overloaded("streams of the process")),
            },
            // The place is held until the answer is taken: what waits for its reader is in memory as well.
            _ => match Arc::clone(&self.unary).try_acquire_owned() {
                Ok(place) => self.next.handle(inbound).await.map(|body| Held::over(body, place)),
                Err(_) => refuse(overloaded("calls at work in the process")),
            },
        }
    }
}

fn rotated() -> Fault {
    Fault::new(
        Code::Unavailable,
        ErrorReason::Overloaded,
        "this stream was open for 30 minutes: open it again",
    )
}

fn overloaded(what: &str) -> Fault {
    // Spread, so that those refused together do not come back together.
    let delay = Duration::from_millis(rand::random_range(100..500));
    Fault::new(Code::ResourceExhausted, ErrorReason::Overloaded, "too much at once, try again")
        .quota("process", what)
        .retry_after(delay)
}

/// A stream's place among the process's streams.
struct OpenStream {
    _place: OwnedSemaphorePermit,
}

impl OpenStream {
    fn count(place: OwnedSemaphorePermit) -> Self {
        metrics::gauge!("rpc_streams_open").increment(1);
        Self { _place: place }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        metrics::gauge!("rpc_streams_open").decrement(1);
    }
}
