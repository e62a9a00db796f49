//! What can happen instead of an answer, and how it is told.

use db::{DbError, RequestIdReused};
use kernel::{Malformed, Role};
use proto::common::v1::ErrorReason;
use rpc::Fault;
use tonic::Code;
use uuid::Uuid;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The organization has no such note.
    #[error("no such note")]
    NoSuchNote,
    /// The note is somebody else's and the caller no admin.
    #[error("only the author and admins edit a note")]
    NotTheAuthor {
        /// The caller's role.
        role: Role,
        /// The path of the method.
        method: &'static str,
    },
    /// The note changed since the caller read it.
    #[error("the note changed since it was read")]
    StaleVersion {
        /// The version now.
        current: i64,
    },
    /// An update mask names something that cannot be changed.
    #[error("no such path in the update mask")]
    UnknownPath {
        /// The path.
        path: String,
    },
    /// The request id was used for another request.
    #[error("the request id was used for another request")]
    Reused {
        /// The id, where the one who noticed knew it.
        request_id: Option<Uuid>,
    },
    /// A value of the request does not have the form it must have.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Routing does not know the conversation, or did not answer; in its words.
    #[error("routing: {0}")]
    Routing(Fault),
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl Error {
    /// The same, knowing which request it is about.
    #[must_use]
    pub fn of_request(self, request_id: Option<Uuid>) -> Self {
        match self {
            Self::Reused { .. } => Self::Reused { request_id },
            other => other,
        }
    }
}

impl From<RequestIdReused> for Error {
    fn from(_: RequestIdReused) -> Self {
        Self::Reused { request_id: None }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchNote => Fault::not_found(),
            Error::NotTheAuthor { role, method } => {
                let text = "only the author and admins edit a note: write one of your own instead";
                Fault::new(Code::PermissionDenied, ErrorReason::RoleNotAllowed, text)
                    .with_metadata("role", role.as_str())
                    .with_metadata("method", method)
            }
            Error::StaleVersion { current } => Fault::stale_etag(rpc::convert::etag(current)),
            Error::UnknownPath { path } => {
                let text = "the update mask of a note may name `body` only";
                Fault::new(Code::InvalidArgument, ErrorReason::UnknownUpdatePath, text)
                    .violation("update_mask", text)
                    .with_metadata("path", path)
            }
            Error::Reused { request_id } => {
                Fault::request_id_reused(request_id.map(|id| id.to_string()).unwrap_or_default())
            }
            Error::Malformed(malformed) => malformed.into(),
            Error::Routing(fault) => fault,
            Error::Database(error) if error.is_transient() => Fault::unavailable("database"),
            Error::Database(error) => Fault::internal(error),
        }
    }
}
