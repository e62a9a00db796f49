//! Faults as the wire carries them, and back.

use std::collections::HashMap;

use proto::common::v1::ErrorReason;
pub use proto::refusal::DOMAIN;
pub(crate) use proto::refusal::reason_name;
use tonic::Status;
use tonic::body::Body;
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, QuotaViolation, StatusExt};

use super::Fault;

/// The contract prefixes enum values (buf lint); `ErrorInfo.reason` carries the bare name, as its documentation asks.
const REASON_PREFIX: &str = "ERROR_REASON_";

/// The reason that a status of ours carries; nothing for a foreign one.
pub fn reason_of(status: &Status) -> Option<ErrorReason> {
    let info = status.get_details_error_info()?;
    if info.domain != DOMAIN {
        return None;
    }
    ErrorReason::from_str_name(&format!("{REASON_PREFIX}{}", info.reason))
}

impl From<Fault> for Status {
    fn from(Fault(fault): Fault) -> Self {
        let mut details = ErrorDetails::new();
        let metadata: HashMap<String, String> = fault.metadata.into_iter().collect();
        details.set_error_info(reason_name(fault.reason), DOMAIN, metadata);
        if let Some(delay) = fault.retry_after {
            details.set_retry_info(Some(delay));
        }
        if !fault.fields.is_empty() {
            let fields = fault.fields.into_iter().map(|(field, text)| FieldViolation::new(field, text));
            details.set_bad_request(fields.collect::<Vec<_>>());
        }
        if !fault.preconditions.is_empty() {
            let violations = fault.preconditions.into_iter();
            let violations = violations.map(|p| PreconditionViolation::new(p.kind, p.subject, p.description));
            details.set_precondition_failure(violations.collect::<Vec<_>>());
        }
        if !fault.quotas.is_empty() {
            let quotas = fault.quotas.into_iter().map(|(subject, text)| QuotaViolation::new(subject, text));
            details.set_quota_failure(quotas.collect::<Vec<_>>());
        }
        Status::with_error_details(fault.code, fault.message, details)
    }
}

impl Fault {
    /// A complete gRPC answer of headers only, for those who answer without a handler.
    pub(crate) fn into_response(self) -> http::Response<Body> {
        Status::from(self).into_http()
    }
}
