//! What can go wrong here, and what each means to a caller.

use db::DbError;
use kernel::Malformed;
use proto::common::v1::ErrorReason;
use rpc::Fault;
use tonic::Code;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller's feed has no such entry. Another person's entry is no different.
    #[error("no such notification")]
    NoSuchNotification,
    /// The time to which an entry should be put off does not fit.
    #[error("snooze time: {0}")]
    BadSnooze(Malformed),
    /// The token was not given for this list: of another person, another filter, or no token at all.
    #[error("not a page token of this list")]
    ForeignPageToken,
    /// The token was not given for this person's stream.
    #[error("not a resume token of this stream")]
    ForeignResumeToken,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchNotification => Self::not_found(),
            Error::BadSnooze(malformed) => malformed.into(),
            Error::ForeignPageToken => foreign_token("page_token", "list again from the first page"),
            Error::ForeignResumeToken => {
                foreign_token("start.resume_token", "list again, then open from now")
            }
            Error::Db(error) => runtime::database(error),
        }
    }
}

fn foreign_token(field: &str, remedy: &str) -> Fault {
    Fault::new(
        Code::InvalidArgument,
        ErrorReason::InvalidPageToken,
        format!("this token was not given here: {remedy}"),
    )
    .violation(field, "must be a token that this call gave to this caller, for the same filter")
}
