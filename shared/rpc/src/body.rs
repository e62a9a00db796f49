//! Response bodies that do something while they last or when they end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;

use crate::Fault;

type Polled = Poll<Option<Result<Frame<Bytes>, Status>>>;

/// The frame that ends a body with this fault: as trailers, which the other end reads as the status of the call.
fn last(fault: Fault) -> Polled {
    let mut trailers = http::HeaderMap::new();
    let written = Status::from(fault).add_header(&mut trailers);
    Poll::Ready(Some(written.map(|()| Frame::trailers(trailers))))
}

/// Keeps a permit or a slot until the stream under it is over or its reader is gone.
pub(crate) struct Held<G> {
    body: Body,
    guard: Option<G>,
}

impl<G: Send + Unpin + 'static> Held<G> {
    pub(crate) fn over(body: Body, guard: G) -> Body {
        Body::new(Self { body, guard: Some(guard) })
    }
}

impl<G: Unpin> HttpBody for Held<G> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(&polled, Poll::Ready(None | Some(Err(_)))) {
            self.guard = None;
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

/// Turns a panic inside a stream into its last status, where it would otherwise take the whole connection down.
pub(crate) struct Caught {
    body: Body,
    over: bool,
    on_panic: fn() -> Fault,
}

impl Caught {
    pub(crate) fn over(body: Body, on_panic: fn() -> Fault) -> Body {
        Body::new(Self { body, over: false, on_panic })
    }
}

impl HttpBody for Caught {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        if self.over {
            return Poll::Ready(None);
        }
        let body = &mut self.body;
        // The body is never polled again after a panic, so nobody sees its broken state.
        match catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll_frame(cx))) {
            Ok(polled) => polled,
            Err(_) => {
                self.over = true;
                last((self.on_panic)())
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }
}

/// Ends an answer at a certain time, also when its head came earlier and its rest does not.
pub(crate) struct Timed {
    body: Body,
    sleep: Pin<Box<Sleep>>,
    fault: fn() -> Fault,
    over: bool,
}

impl Timed {
    /// With `fault` as its status where time ends it.
    pub(crate) fn over(body: Body, deadline: Instant, fault: fn() -> Fault) -> Body {
        Body::new(Self { body, sleep: Box::pin(sleep_until(deadline)), fault, over: false })
    }
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        if self.over {
            return Poll::Ready(None);
        }
        if let ready @ Poll::Ready(_) = Pin::new(&mut self.body).poll_frame(cx) {
            return ready;
        }
        match self.sleep.as_mut().poll(cx) {
            Poll::Ready(()) => {
                self.over = true;
                last((self.fault)())
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }
}
