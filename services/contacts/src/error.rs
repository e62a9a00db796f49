//! What can go wrong here, and what that is to a caller.

use db::{DbError, RequestIdReused};
use kernel::Malformed;
use proto::common::v1::ErrorReason;
use rpc::{Fault, convert};
use tonic::Code;
use uuid::Uuid;

use crate::domain::{MOST_TAGS, UnknownPath};

/// Why a use case did not happen. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none of this id, or the caller may not know of it.
    #[error("no such contact")]
    NoSuchContact,
    /// Another contact has it: `emails`, `phones` or `external_id`.
    #[error("another contact has one of {0}")]
    Taken(&'static str),
    /// The contact changed since it was read.
    #[error("the contact's version is {current} by now")]
    StaleVersion {
        /// The version it has now.
        current: i64,
    },
    /// The contact would carry more tags than it may.
    #[error("more than {MOST_TAGS} tags")]
    TooManyTags,
    /// Somebody else was given the address at the same moment. Looking again finds them.
    #[error("the address was given to another contact at the same moment")]
    LostRace,
    /// The update mask names no field.
    #[error("the update mask names an unknown path")]
    UnknownPath(String),
    /// A value of the request, such as its page token.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The request id was used for another payload.
    #[error("the request id was used for another payload")]
    RequestIdReused {
        /// The id, once the use case has named it.
        request_id: Option<Uuid>,
    },
    /// The database.
    #[error(transparent)]
    Database(DbError),
}

impl Error {
    /// Names the request id that was reused.
    #[must_use]
    pub fn of_request(self, request_id: Option<Uuid>) -> Self {
        match self {
            Self::RequestIdReused { .. } => Self::RequestIdReused { request_id },
            other => other,
        }
    }
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        if error.violates_unique_on("contacts", "external_id") {
            return Self::Taken("external_id");
        }
        Self::Database(error)
    }
}

impl From<RequestIdReused> for Error {
    fn from(_: RequestIdReused) -> Self {
        Self::RequestIdReused { request_id: None }
    }
}

impl From<UnknownPath> for Error {
    fn from(UnknownPath(path): UnknownPath) -> Self {
        Self::UnknownPath(path)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchContact => Fault::not_found(),
            Error::Taken(field) => Fault::already_exists(field),
            Error::StaleVersion { current } => Fault::stale_etag(convert::etag(current)),
            Error::TooManyTags => {
                Fault::invalid("add", format!("a contact may carry {MOST_TAGS} tags at most"))
            }
            Error::UnknownPath(path) => {
                let message = "update_mask names a path which a profile does not have";
                Fault::new(Code::InvalidArgument, ErrorReason::UnknownUpdatePath, message)
                    .violation("update_mask", "must name fields of the profile, such as display_name")
                    .with_metadata("path", path)
            }
            Error::Malformed(malformed) => malformed.into(),
            Error::RequestIdReused { request_id } => Fault::request_id_reused(request_id.unwrap_or_default()),
            Error::LostRace => Fault::unavailable("database"),
            Error::Database(error) if error.is_transient() => {
                tracing::warn!(%error, "the database did not do it");
                Fault::unavailable("database")
            }
            Error::Database(error) => Fault::internal(error),
        }
    }
}
