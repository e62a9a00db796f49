//! Events on their way to a peer, and what its answer means to the relay.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use db::BoxFuture;
use kernel::OrgId;
use outbox::{Deliver, Outcome, Outgoing, Undelivered};
use prost::Message;
use proto::common::v1::{EventDisposition, EventOutcome};
use rpc::{Peer, PeerService};
use tonic::{Code, Status};

/// The time of one delivery.
pub const DELIVERY: Duration = Duration::from_secs(5);

/// Delivers to a peer, as this service: one call a batch, one outcome an event. `call` makes the call with a generated client
/// and picks the outcomes out of its answer; `M` is the message that each event was recorded as.
pub fn to_peer<M, C, F>(peer: Peer, call: C) -> Arc<dyn Deliver>
where
    M: Message + Default + 'static,
    C: Fn(PeerService, Vec<M>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Vec<EventOutcome>, Status>> + Send,
{
    Arc::new(ToPeer { peer, call, recorded_as: PhantomData })
}

struct ToPeer<M, C> {
    peer: Peer,
    call: C,
    recorded_as: PhantomData<fn() -> M>,
}

impl<M, C, F> Deliver for ToPeer<M, C>
where
    M: Message + Default + 'static,
    C: Fn(PeerService, Vec<M>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Vec<EventOutcome>, Status>> + Send,
{
    fn deliver<'a>(
        &'a self,
        org: &'a OrgId,
        batch: Vec<Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>> {
        Box::pin(async move {
            let answer = (self.call)(self.peer.as_service(org, DELIVERY), recorded(&batch)?).await;
            delivered(batch.len(), answer)
        })
    }
}

/// The messages that were recorded as these events.
///
/// # Errors
/// [`Undelivered::Refused`] where one is not of the type.
pub fn recorded<M: Message + Default>(batch: &[Outgoing]) -> Result<Vec<M>, Undelivered> {
    let messages = batch.iter().map(|event| M::decode(event.payload.as_slice())).collect::<Result<_, _>>();
    messages.map_err(|_| Undelivered::Refused("a recorded event cannot be read".to_owned()))
}

/// What became of the `sent` events of one call: its outcomes in the relay's words, or why there are none.
///
/// # Errors
/// [`Undelivered`] if the call failed, see [`undelivered`], or answered otherwise than with one outcome for each event, as
/// the contracts promise: the relay sends them one by one then.
pub fn delivered(
    sent: usize,
    answer: Result<Vec<EventOutcome>, Status>,
) -> Result<Vec<Outcome>, Undelivered> {
    let outcomes = answer.map_err(|status| undelivered(&status))?;
    if outcomes.len() != sent {
        return Err(Undelivered::Refused("the answer is not one outcome for each event".to_owned()));
    }
    Ok(outcomes.into_iter().map(outcome).collect())
}

fn outcome(one: EventOutcome) -> Outcome {
    match one.disposition() {
        EventDisposition::Applied | EventDisposition::Duplicate => Outcome::Done,
        EventDisposition::Refused => Outcome::Refused { reason: one.reason },
        EventDisposition::Unspecified => Outcome::Refused { reason: "no disposition".to_owned() },
    }
}

/// Whether a failed call is worth repeating as it is. The reason that is stored names the code only: a message could
/// carry content.
pub fn undelivered(status: &Status) -> Undelivered {
    let reason = rpc::reason_of(status).map_or("", |reason| reason.as_str_name());
    let what = format!("{:?} {reason}", status.code()).trim_end().to_owned();
    match status.code() {
        // The peer looked at the batch and will say the same again.
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Internal
        | Code::Unknown
        | Code::DataLoss => Undelivered::Refused(what),
        // Down, overloaded, too slow, not yet updated or wrongly configured: the events are not to blame.
        Code::Ok
        | Code::Cancelled
        | Code::DeadlineExceeded
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Unimplemented
        | Code::Unavailable
        | Code::Unauthenticated => Undelivered::Unreachable(what),
    }
}
