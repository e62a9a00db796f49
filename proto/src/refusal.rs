//! Statuses with the machine-readable details of [google.rpc](https://google.aip.dev/193): each carries an `ErrorInfo`
//! whose reason is one of [`ErrorReason`].

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::Violation;
use crate::common::v1::ErrorReason;

/// The `domain` of every `ErrorInfo`.
pub const DOMAIN: &str = "backchannel.dev";

/// The `reason` of an `ErrorInfo`: the enum value's name without its prefix.
#[must_use]
pub fn reason_name(reason: ErrorReason) -> &'static str {
    reason.as_str_name().trim_start_matches("ERROR_REASON_")
}

/// INVALID_ARGUMENT for bytes that are no message of the contract.
#[must_use]
pub fn undecodable() -> Status {
    let details =
        ErrorDetails::with_error_info(reason_name(ErrorReason::InvalidField), DOMAIN, HashMap::new());
    let text = "the request is not a message of this contract: its bytes cannot be decoded as protobuf";
    Status::with_error_details(Code::InvalidArgument, text, details)
}

/// INVALID_ARGUMENT with a `BadRequest` that names each field.
#[must_use]
pub fn invalid(violations: &[Violation]) -> Status {
    let mut details =
        ErrorDetails::with_error_info(reason_name(ErrorReason::InvalidField), DOMAIN, HashMap::new());
    for violation in violations {
        details.add_bad_request_violation(&violation.field, &violation.description);
    }
    let text: Vec<String> = violations
        .iter()
        .take(5)
        .map(|violation| format!("{} {}", violation.field, violation.description))
        .collect();
    Status::with_error_details(Code::InvalidArgument, text.join("; "), details)
}
