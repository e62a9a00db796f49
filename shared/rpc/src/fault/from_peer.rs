//! What a peer's refusal means to our own caller.

use proto::common::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{Fault, reason_of};

/// tonic's client says CANCELLED with this text when its own timer fires, where the protocol says DEADLINE_EXCEEDED.
const TONIC_TIMEOUT: &str = "Timeout expired";

impl Fault {
    /// Translates a peer's status. What the caller could act on passes on; a peer's inner troubles, and requests of ours
    /// that the peer finds malformed, are our own internal error.
    pub fn from_peer(status: Status) -> Self {
        match status.code() {
            Code::NotFound => Self::not_found(),
            Code::DeadlineExceeded => Self::deadline_exceeded(),
            Code::Cancelled if status.message() == TONIC_TIMEOUT => Self::deadline_exceeded(),
            Code::Unavailable | Code::Cancelled => {
                passed_on(&status, Code::Unavailable, ErrorReason::DependencyUnavailable)
            }
            Code::PermissionDenied => passed_on(&status, Code::PermissionDenied, ErrorReason::RoleNotAllowed),
            Code::Unauthenticated => passed_on(&status, Code::Unauthenticated, ErrorReason::TokenInvalid),
            Code::ResourceExhausted => passed_on(&status, Code::ResourceExhausted, ErrorReason::Overloaded),
            code @ (Code::Aborted | Code::FailedPrecondition | Code::AlreadyExists) => {
                match reason_of(&status) {
                    Some(reason) => passed_on(&status, code, reason),
                    None => unexpected(&status),
                }
            }
            _ => unexpected(&status),
        }
    }
}

fn passed_on(status: &Status, code: Code, otherwise: ErrorReason) -> Fault {
    let known = reason_of(status);
    // Only a text of our own is known to be fit for a caller.
    let message = if known.is_some() { status.message() } else { code.description() };
    let mut fault = Fault::new(code, known.unwrap_or(otherwise), message);
    if let Some(info) = status.get_details_error_info().filter(|_| known.is_some()) {
        fault = info.metadata.into_iter().fold(fault, |fault, (key, value)| fault.with_metadata(key, value));
    }
    if let Some(delay) = status.get_details_retry_info().and_then(|info| info.retry_delay) {
        fault = fault.retry_after(delay);
    }
    fault
}

fn unexpected(status: &Status) -> Fault {
    Fault::internal(format_args!("a peer answered {:?}: {}", status.code(), status.message()))
}
