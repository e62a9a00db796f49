//! What a handler learns about its call: who, which method, until when.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kernel::{OrgId, Role, Subject, Timestamp};
use prost::Message;
use proto::Method;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::Fault;

/// Who calls, as the verified token says. Nothing else names a caller: no header, no field.
#[derive(Clone)]
pub struct Caller {
    /// The organization; every query is bound to it.
    pub org: OrgId,
    /// The person, contact, adapter or service.
    pub subject: Subject,
    /// What the subject is to the organization.
    pub role: Role,
    /// When the token ends.
    pub expires: Timestamp,
    /// The `name` claim, for display. At most 200 characters, none of them a control character.
    pub name: Option<String>,
    /// The `preferred_username` claim, likewise.
    pub username: Option<String>,
    pub(crate) token: Arc<str>,
    /// Organization and subject in one, the key under which a person's calls are counted.
    pub(crate) person: Arc<str>,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { org, subject, role, expires, .. } = self;
        f.debug_struct("Caller")
            .field("org", org)
            .field("subject", subject)
            .field("role", role)
            .field("expires", expires)
            .finish_non_exhaustive()
    }
}

/// One call, from inside its handler. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who calls.
    pub caller: Arc<Caller>,
    /// The method of the contract.
    pub method: &'static Method,
    /// When the answer must be there. Of a server stream: when it must have opened.
    pub deadline: Instant,
    /// When the caller's token ends, on the timer's clock: open streams are closed then.
    pub token_ends: Instant,
    /// What a question asked from inside an open stream may take, as the stream itself has no end.
    pub(crate) question: Duration,
}

/// The call of this request.
///
/// # Errors
/// INTERNAL if the request did not come through the stack, which authenticates: a handler must never run without.
pub fn call<T>(request: &Request<T>) -> Result<Call, Status> {
    let call = request.extensions().get::<Call>().cloned();
    call.ok_or_else(|| Fault::internal("a request reached its handler around the stack").into())
}

/// What makes a retry recognizable (P5). The service stores it in the transaction of the effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryKey {
    /// Who calls.
    pub caller: Subject,
    /// The path of the method.
    pub method: &'static str,
    /// The caller's id for the request; nothing if the caller does not care.
    pub request_id: Option<Uuid>,
    /// SHA-256 of the request.
    pub digest: [u8; 32],
}

impl Call {
    /// The key under which this request's answer is kept for its retries.
    ///
    /// The digest is over the encoded message: contracts with maps must be generated with ordered maps.
    ///
    /// # Errors
    /// INVALID_ARGUMENT if `request_id` is neither empty nor a UUID.
    pub fn retry<M: Message>(&self, request_id: &str, message: &M) -> Result<RetryKey, Fault> {
        let request_id = match request_id {
            "" => None,
            text => Some(Uuid::parse_str(text).map_err(|_| Fault::invalid("request_id", "must be a UUID"))?),
        };
        let digest = Sha256::digest(message.encode_to_vec()).into();
        Ok(RetryKey { caller: self.caller.subject.clone(), method: self.method.path, request_id, digest })
    }

    /// The time that a question to a peer may take.
    pub fn remaining(&self) -> Duration {
        if self.method.server_streaming {
            return self.question;
        }
        self.deadline.saturating_duration_since(Instant::now())
    }
}
