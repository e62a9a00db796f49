use std::sync::Arc;
use std::time::Duration;

use proto::common::v1::ErrorReason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Code;

use super::{Handle, Inbound, Response, Target, refuse};
use crate::body::Held;
use crate::{Fault, Limits};

/// Room for health checks and reflection of their own, so that a busy process does not look like a dead one.
const OPEN_CALLS: usize = 64;

/// Before a token is even looked at, because under overload the cheapest thing to do with a call is to refuse it at
/// once: work that would time out in a queue is work lost. tonic's own limits do not see how long a stream lasts, so
/// streams are counted here, until their body ends.
pub(crate) struct Admission<N> {
    unary: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    open: Arc<Semaphore>,
    next: N,
}

impl<N> Admission<N> {
    pub(crate) fn new(limits: &Limits, next: N) -> Self {
        let room = |places: usize| Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        let (unary, streams) = (room(limits.unary_in_flight), room(limits.streams));
        Self { unary, streams, open: room(OPEN_CALLS), next }
    }
}

impl<N: Handle> Handle for Admission<N> {
    async fn handle(&self, inbound: Inbound) -> Response {
        match inbound.target {
            Target::Open(_) => match Arc::clone(&self.open).try_acquire_owned() {
                Ok(place) => self.next.handle(inbound).await.map(|body| Held::over(body, place)),
                Err(_) => refuse(overloaded("open calls")),
            },
            target if target.streams() => match Arc::clone(&self.streams).try_acquire_owned() {
                Ok(place) => {
                    let place = OpenStream::count(place);
                    self.next.handle(inbound).await.map(|body| Held::over(body, place))
                }
                Err(_) => refuse(overloaded("streams of the process")),
            },
            _ => match self.unary.try_acquire() {
                Ok(_place) => self.next.handle(inbound).await,
                Err(_) => refuse(overloaded("calls at work in the process")),
            },
        }
    }
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
