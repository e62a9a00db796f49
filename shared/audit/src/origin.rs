//! From whom, and from which request.

use kernel::{Role, Subject};
use uuid::Uuid;

/// Where an effect comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub(crate) subject: String,
    pub(crate) role: Role,
    pub(crate) method: &'static str,
    pub(crate) request_id: Option<Uuid>,
    pub(crate) trace_id: Option<String>,
}

impl Origin {
    /// Of a call: the subject and the role of its token, and the path of its method.
    #[must_use]
    pub fn new(subject: &Subject, role: Role, method: &'static str) -> Self {
        Self { subject: subject.to_string(), role, method, request_id: None, trace_id: None }
    }

    /// Of work that a service does by itself: the name of the service, and of the worker.
    #[must_use]
    pub fn system(service: &'static str, worker: &'static str) -> Self {
        Self {
            subject: service.to_owned(),
            role: Role::Service,
            method: worker,
            request_id: None,
            trace_id: None,
        }
    }

    /// Who it was: the subject of the token, or the name of the service.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// As what.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The same, of the request with this id.
    #[must_use]
    pub fn of_request(self, request_id: Option<Uuid>) -> Self {
        Self { request_id, ..self }
    }

    /// The same, of the request with this trace: 32 lowercase hex digits.
    #[must_use]
    pub fn traced(self, trace_id: Option<String>) -> Self {
        Self { trace_id, ..self }
    }
}
