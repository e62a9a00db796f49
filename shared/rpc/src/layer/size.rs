use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use proto::common::v1::ErrorReason;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::body::Body;
use tonic::{Code, Status};

use super::{Handle, Inbound, Response, Target};
use crate::Fault;
use crate::edge::REFLECTION;

/// A request is 256 KiB at most and sent at once; a caller who takes longer holds places of ours with nothing to do.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);

/// Right above the handlers, because the generated servers would each have to be told (tonic takes 4 MiB otherwise), and
/// one would be forgotten. Every message announces its length: a too large one is refused by its first five bytes. And
/// it must arrive in time; only where callers send as they go, in reflection and in RPCs that take a stream, may it take as long
/// as it likes.
pub(crate) struct Size<N> {
    pub(crate) most: usize,
    pub(crate) next: N,
}

impl<N: Handle> Handle for Size<N> {
    async fn handle(&self, mut inbound: Inbound) -> Response {
        let most = self.most;
        let sends_as_it_goes = match inbound.target {
            Target::Open(service) => REFLECTION.contains(&service),
            Target::Rpc(method) => method.client_streaming,
            Target::Unknown => false,
        };
        let until = (!sends_as_it_goes).then(|| inbound.deadline.min(Instant::now() + ARRIVES_WITHIN));
        inbound.request = inbound.request.map(|body| Body::new(Measured::of(body, most, until)));
        self.next.handle(inbound).await
    }
}

/// A request's body, whose messages' announced lengths are looked at as they pass.
struct Measured {
    body: Body,
    most: usize,
    /// What has come of the five bytes before a message: one flag and the length, big-endian.
    head: Vec<u8>,
    /// What is still to come of the present message.
    left: usize,
    /// When all of it must be there.
    until: Option<Instant>,
    /// Made when the body first keeps us waiting: most are there already.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Measured {
    fn of(body: Body, most: usize, until: Option<Instant>) -> Self {
        Self { body, most, head: Vec::new(), left: 0, until, alarm: None }
    }

    /// Whether the time to arrive is over; if not, the task is woken when it is.
    fn late(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(until) = self.until else { return false };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(until)));
        alarm.as_mut().poll(cx).is_ready()
    }

    fn look(&mut self, mut data: &[u8]) -> Result<(), Fault> {
        while !data.is_empty() {
            if self.left > 0 {
                let step = self.left.min(data.len());
                self.left -= step;
                data = &data[step..];
                continue;
            }
            self.head.push(data[0]);
            data = &data[1..];
            if let [_, a, b, c, d] = self.head[..] {
                self.left = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
                self.head.clear();
                if self.left > self.most {
                    return Err(too_large(self.most));
                }
            }
        }
        Ok(())
    }
}

impl HttpBody for Measured {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_pending() && self.late(cx) {
            return Poll::Ready(Some(Err(Fault::deadline_exceeded().into())));
        }
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
            && let Err(fault) = self.look(data)
        {
            return Poll::Ready(Some(Err(fault.into())));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

/// INVALID_ARGUMENT where gRPC libraries say RESOURCE_EXHAUSTED: clients retry the latter, and this will never fit.
fn too_large(most: usize) -> Fault {
    let message = format!("a message may have {} KiB at most", most / 1_024);
    Fault::new(Code::InvalidArgument, ErrorReason::InvalidField, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(lengths: &[usize]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for length in lengths {
            bytes.push(0);
            bytes.extend(u32::try_from(*length).unwrap().to_be_bytes());
            bytes.extend(vec![0xff; *length]);
        }
        bytes
    }

    fn passes(lengths: &[usize], piece: usize) -> bool {
        let mut measured = Measured::of(Body::empty(), 100, None);
        messages(lengths).chunks(piece).all(|data| measured.look(data).is_ok())
    }

    #[test]
    fn every_message_is_measured_however_the_bytes_are_cut() {
        for piece in [1, 2, 3, 4, 5, 6, 99, 100, 105, 1_000] {
            assert!(passes(&[0, 100, 1, 0, 0, 100, 7], piece), "{piece}");
            assert!(!passes(&[0, 100, 101], piece), "{piece}");
            assert!(!passes(&[5, 100_000, 1], piece), "{piece}");
        }
    }
}
