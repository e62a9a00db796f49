//! What a peer's answer means to the relay.

use outbox::{Outcome, Outgoing, Undelivered};
use prost::Message;
use proto::common::v1::{EventDisposition, EventOutcome};
use tonic::{Code, Status};

/// The messages that were recorded as these events.
///
/// # Errors
/// [`Undelivered::Refused`] where one is not of the type.
pub fn recorded<M: Message + Default>(batch: &[Outgoing]) -> Result<Vec<M>, Undelivered> {
    let messages = batch.iter().map(|event| M::decode(event.payload.as_slice())).collect::<Result<_, _>>();
    messages.map_err(|_| Undelivered::Refused("a recorded event cannot be read".to_owned()))
}

/// What became of the `sent` events of one call: its outcomes in the relay's words, or why there are none. For
/// [`outbox::Deliver`] implementors, around the generated client's answer.
///
/// # Errors
/// [`Undelivered`] if the call failed, see [`undelivered`], or answered otherwise than with one outcome for each event, as
/// the contracts promise: the relay sends them one by one then.
pub fn delivered<T>(
    sent: usize,
    answer: Result<tonic::Response<T>, Status>,
    outcomes: impl FnOnce(T) -> Vec<EventOutcome>,
) -> Result<Vec<Outcome>, Undelivered> {
    let answer = answer.map_err(|status| undelivered(&status))?;
    let outcomes = outcomes(answer.into_inner());
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
