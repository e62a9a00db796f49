//! Errors a program can act on (P8): a gRPC code, a reason from the contract, and details where they apply.
//!
//! A service has one error enum, named for what happened; `impl From<ThatError> for Fault` is the only place that knows codes.

mod from_peer;
mod render;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use kernel::{Clock, Malformed};
use proto::common::v1::ErrorReason;
use tonic::Code;

pub(crate) use render::reason_name;
pub use render::{DOMAIN, reason_of};

/// Fields that a message names: it goes in a header, and is short.
const MOST_SAID: usize = 5;

/// An answer that says no. Becomes a `tonic::Status` with `google.rpc.ErrorInfo` and what else was added.
///
/// Texts in it reach callers: no content of notes or messages, no names, no addresses.
#[derive(Clone, Debug)]
pub struct Fault(Box<Details>);

#[derive(Clone, Debug)]
struct Details {
    code: Code,
    reason: ErrorReason,
    message: String,
    metadata: BTreeMap<String, String>,
    fields: Vec<(String, String)>,
    preconditions: Vec<Precondition>,
    quotas: Vec<(String, String)>,
    retry_after: Option<Duration>,
}

#[derive(Clone, Debug)]
struct Precondition {
    kind: String,
    subject: String,
    description: String,
}

impl Fault {
    /// A fault with its code, its reason, and a sentence for the developer who reads it.
    pub fn new(code: Code, reason: ErrorReason, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            code,
            reason,
            message: message.into(),
            metadata: BTreeMap::new(),
            fields: Vec::new(),
            preconditions: Vec::new(),
            quotas: Vec::new(),
            retry_after: None,
        }))
    }

    /// Absent, or another tenant's: one answer with the same bytes for both (P1).
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, ErrorReason::NotFound, "not found")
    }

    /// As [`Fault::not_found`], for a request that names several things: which of its fields names what is not there. Fields only,
    /// never ids: so another tenant's and an absent one still have the same bytes (P1).
    pub fn not_found_in(fields: &[String]) -> Self {
        let named = first_of(fields, ", ");
        Self::new(Code::NotFound, ErrorReason::NotFound, format!("not found: what {named} names"))
            .with_metadata("field", named)
    }

    /// A field of the request breaks a rule; `description` goes on where the field's name ends. Both are in the message too,
    /// since many tools show nothing else.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        let (field, description) = (field.into(), description.into());
        Self::new(Code::InvalidArgument, ErrorReason::InvalidField, format!("{field} {description}"))
            .violation(field, description)
    }

    /// Several fields break rules: like [`Fault::invalid`] for each, in one answer. The first few are in the message too. Nothing for
    /// none.
    pub fn invalid_fields(broken: impl IntoIterator<Item = (String, String)>) -> Option<Self> {
        let fields: Vec<(String, String)> = broken.into_iter().collect();
        if fields.is_empty() {
            return None;
        }
        let said: Vec<String> = fields.iter().map(|(field, wrong)| format!("{field} {wrong}")).collect();
        let fault = Self::new(Code::InvalidArgument, ErrorReason::InvalidField, first_of(&said, "; "));
        Some(fields.into_iter().fold(fault, |fault, (field, wrong)| fault.violation(field, wrong)))
    }

    /// Another object has this name, address or external id already; `field` says which of them.
    pub fn already_exists(field: &str) -> Self {
        Self::new(Code::AlreadyExists, ErrorReason::AlreadyExists, format!("this {field} is taken"))
            .with_metadata("field", field)
    }

    /// The object changed since the caller read it (P6); `current` is its etag now.
    pub fn stale_etag(current: impl Into<String>) -> Self {
        let message = "changed since it was read: read it again, and change what is there now with its etag";
        Self::new(Code::Aborted, ErrorReason::StaleEtag, message).with_metadata("etag", current)
    }

    /// The request id was used for another payload (P5).
    pub fn request_id_reused(request_id: impl fmt::Display) -> Self {
        let message = "this request_id was used for another payload";
        Self::new(Code::InvalidArgument, ErrorReason::RequestIdReused, message)
            .with_metadata("request_id", request_id.to_string())
    }

    /// The object is not in the state that this call needs.
    pub fn failed_precondition(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, reason, message)
    }

    /// The database or a peer does not answer.
    pub fn unavailable(dependency: &str) -> Self {
        Self::passing(dependency, format!("{dependency} does not answer"))
    }

    /// Somebody else changes the same at this moment.
    pub fn in_the_way(dependency: &str) -> Self {
        Self::passing(
            dependency,
            "somebody else is changing the same: nothing happened, try again".to_owned(),
        )
    }

    fn passing(dependency: &str, message: String) -> Self {
        Self::new(Code::Unavailable, ErrorReason::DependencyUnavailable, message)
            .with_metadata("dependency", dependency)
            .retry_after(Duration::from_millis(250))
    }

    /// The call's time is over.
    pub fn deadline_exceeded() -> Self {
        Self::new(Code::DeadlineExceeded, ErrorReason::DeadlineExceeded, "the call's time is over")
    }

    /// Our own fault: logged with an id, and masked, so that no inner text reaches a caller.
    ///
    /// `error` goes to the log: its text must not carry content.
    pub fn internal(error: impl fmt::Display) -> Self {
        let error_id = Clock::system().new_id();
        tracing::error!(%error_id, %error, "internal error");
        Self::masked(error_id)
    }

    /// The caller's view of an internal error that was logged under this id.
    pub(crate) fn masked(error_id: uuid::Uuid) -> Self {
        Self::new(Code::Internal, ErrorReason::Internal, format!("internal error, id {error_id}"))
            .with_metadata("error_id", error_id.to_string())
    }

    /// Adds a value for programs; the keys of each reason are named in the contract.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.metadata.insert(key.into(), value.into());
        self
    }

    /// Names a field that breaks a rule (`BadRequest`).
    #[must_use]
    pub fn violation(mut self, field: impl Into<String>, description: impl Into<String>) -> Self {
        self.0.fields.push((field.into(), description.into()));
        self
    }

    /// Names what must be otherwise before this call can succeed (`PreconditionFailure`).
    #[must_use]
    pub fn precondition(
        mut self,
        kind: impl Into<String>,
        subject: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        let (kind, subject, description) = (kind.into(), subject.into(), description.into());
        self.0.preconditions.push(Precondition { kind, subject, description });
        self
    }

    /// Names the limit that was reached (`QuotaFailure`).
    #[must_use]
    pub fn quota(mut self, subject: impl Into<String>, description: impl Into<String>) -> Self {
        self.0.quotas.push((subject.into(), description.into()));
        self
    }

    /// Says when to come again (`RetryInfo`): never at once, since a moment passed since the refusal was decided, and a
    /// delay of zero reads like none.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay.max(Duration::from_millis(1)));
        self
    }

    /// The sentence for the developer who reads it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The gRPC code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The reason of the contract.
    pub fn reason(&self) -> ErrorReason {
        self.0.reason
    }
}

/// The first few of these, and how many more there are.
fn first_of(all: &[String], between: &str) -> String {
    let mut said: Vec<String> = all.iter().take(MOST_SAID).cloned().collect();
    if all.len() > MOST_SAID {
        said.push(format!("{} more", all.len() - MOST_SAID));
    }
    said.join(between)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.code, self.0.message)
    }
}

impl std::error::Error for Fault {}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        let field = malformed.field().unwrap_or_default();
        let mut fault = Self::invalid(field, malformed.reason());
        if field.ends_with("page_token") || field.ends_with("resume_token") {
            fault.0.reason = ErrorReason::InvalidPageToken;
        }
        fault
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt;

    use super::*;

    // P8
    #[test]
    fn every_field_that_is_wrong_is_in_the_details_and_the_first_few_in_the_message() {
        let broken =
            |count: usize| (0..count).map(|index| (format!("set[{index}].key"), "is bad".to_owned()));
        let status = tonic::Status::from(Fault::invalid_fields(broken(2)).unwrap());
        assert_eq!(status.message(), "set[0].key is bad; set[1].key is bad");
        let status = tonic::Status::from(Fault::invalid_fields(broken(100)).unwrap());
        assert!(status.message().ends_with("set[4].key is bad; 95 more"), "{}", status.message());
        assert_eq!(status.get_details_bad_request().unwrap().field_violations.len(), 100);
        assert!(Fault::invalid_fields(broken(0)).is_none());
    }

    // P8 P1
    #[test]
    fn not_found_says_which_field_named_what_is_not_there_and_no_id() {
        let status = tonic::Status::from(Fault::not_found_in(&["contact_ids[1]".to_owned(), "b".to_owned()]));
        assert_eq!(status.message(), "not found: what contact_ids[1], b names");
        let info = status.get_details_error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.metadata["field"].as_str()),
            ("NOT_FOUND", "contact_ids[1], b")
        );
    }
}
