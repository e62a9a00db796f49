//! What can go wrong here, and what that is to a caller.

use db::{DbError, RequestIdReused};
use kernel::{ContactId, Malformed, MergeId};
use proto::common::v1::ErrorReason;
use rpc::{Fault, convert};
use uuid::Uuid;

use crate::domain::{Field, MOST_DEFINITIONS, MOST_LISTS, MOST_TAGS, Misfit, TooLarge, UnknownPath};

/// Why a use case did not happen. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none of this id, or the caller may not know of it.
    #[error("no such contact")]
    NoSuchContact,
    /// There are none of these ids.
    #[error("no such contacts")]
    NoSuchContacts {
        /// The request's fields that name them, as `contact_ids[2]`.
        fields: Vec<String>,
    },
    /// There is no list of this id.
    #[error("no such list")]
    NoSuchList,
    /// There is no erasure of this id.
    #[error("no such erasure")]
    NoSuchErasure,
    /// There is no merge of this id.
    #[error("no such merge")]
    NoSuchMerge,
    /// There is no attribute definition with this key.
    #[error("no such attribute definition")]
    NoSuchDefinition,
    /// Another object has it: a contact's `emails`, `phones` or `external_id`, a list's `display_name`, a definition's `key`.
    #[error("another object has one of {0}")]
    Taken(&'static str),
    /// The object changed since it was read.
    #[error("the object's version is {current} by now")]
    StaleVersion {
        /// The version it has now.
        current: i64,
    },
    /// Two contacts are named and they are one, the second in this field of the request.
    #[error("both contacts are the same")]
    OneContact(&'static str),
    /// The contact was merged into another.
    #[error("the contact was merged into another")]
    MergedAway {
        /// The request's field that names it.
        field: &'static str,
        /// Who stands for it.
        survivor: ContactId,
    },
    /// One of two contacts changed since it was read.
    #[error("the version of {field} is {current} by now")]
    StaleSide {
        /// The request's field with the etag.
        field: &'static str,
        /// The version it has now.
        current: i64,
    },
    /// The merged contact would be larger than a contact may be.
    #[error("more than {} {}", .0.limit, .0.of)]
    TooLarge(TooLarge),
    /// A later merge builds on this one.
    #[error("a later merge builds on this one")]
    NotLatest {
        /// The later one.
        later: MergeId,
    },
    /// The merge was taken back before.
    #[error("the merge was taken back before")]
    Undone,
    /// The contact would carry more tags than it may.
    #[error("more than {MOST_TAGS} tags")]
    TooManyTags,
    /// The organization has as many lists as it may.
    #[error("more than {MOST_LISTS} lists")]
    TooManyLists,
    /// The organization has as many attribute definitions as it may.
    #[error("more than {MOST_DEFINITIONS} attribute definitions")]
    TooManyDefinitions,
    /// Contacts have values of the definition, or of the choice.
    #[error("contacts have values of it")]
    InUse(Used),
    /// Values of attributes that their definitions do not take.
    #[error("{} values do not fit their definitions", misfits.len())]
    Misfits {
        /// The request's field with the values.
        field: &'static str,
        /// Each of them, at least one.
        misfits: Vec<Misfit>,
    },
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

/// What contacts have values of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// A definition that shall go.
    Definition,
    /// A choice that shall go.
    Choice,
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
        if error.violates_unique_on("lists", "name_key") {
            return Self::Taken("display_name");
        }
        if error.violates_unique("attribute_definitions") {
            return Self::Taken("key");
        }
        Self::Database(error)
    }
}

impl From<TooLarge> for Error {
    fn from(too_large: TooLarge) -> Self {
        Self::TooLarge(too_large)
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
            Error::NoSuchContact
            | Error::NoSuchList
            | Error::NoSuchMerge
            | Error::NoSuchErasure
            | Error::NoSuchDefinition => Fault::not_found(),
            Error::NoSuchContacts { fields } => Fault::not_found_in(&fields),
            Error::Taken(field) => Fault::already_exists(field),
            Error::StaleVersion { current } => Fault::stale_etag(convert::etag(current)),
            Error::OneContact(field) => Fault::invalid(field, "must be another contact"),
            Error::MergedAway { field, survivor } => {
                let message = format!("{field} names a contact that was merged into another: use that one");
                Fault::failed_precondition(ErrorReason::ContactMerged, message)
                    .with_metadata("field", field)
                    .with_metadata("contact_id", survivor.to_string())
            }
            Error::StaleSide { field, current } => {
                Fault::stale_etag(convert::etag(current)).with_metadata("field", field)
            }
            Error::TooLarge(TooLarge { of, limit }) => {
                let message = format!("the contact would have more than {limit} {of}: remove some first");
                Fault::failed_precondition(ErrorReason::LimitReached, message)
                    .with_metadata("limit", limit.to_string())
                    .with_metadata("field", of)
            }
            Error::NotLatest { later } => {
                let message = "a later merge builds on this one: take that one back first";
                Fault::failed_precondition(ErrorReason::MergeNotLatest, message)
                    .with_metadata("merge_id", later.to_string())
            }
            Error::Undone => {
                Fault::failed_precondition(ErrorReason::MergeUndone, "the merge was taken back before")
            }
            Error::TooManyTags => {
                Fault::invalid("add", format!("a contact may carry {MOST_TAGS} tags at most"))
            }
            Error::TooManyLists => full("lists", MOST_LISTS),
            Error::TooManyDefinitions => full("attribute definitions", MOST_DEFINITIONS),
            Error::InUse(used) => {
                let message = match used {
                    Used::Definition => {
                        "contacts have values of it: set delete_values to delete them too, or archive it to keep them"
                    }
                    Used::Choice => {
                        "contacts have a choice that would go: give them another first, or leave it among the choices"
                    }
                };
                Fault::failed_precondition(ErrorReason::InUse, message).with_metadata("used_by", "contact")
            }
            Error::Misfits { field, misfits } => refuse(field, &misfits),
            Error::UnknownPath(path) => rpc::update_mask::unknown(&path, Field::ALL.map(Field::path)),
            Error::Malformed(malformed) => malformed.into(),
            Error::RequestIdReused { request_id } => Fault::request_id_reused(request_id.unwrap_or_default()),
            Error::LostRace => Fault::unavailable("database"),
            Error::Database(error) => runtime::database(error),
        }
    }
}

/// The organization has as many of these as it may.
fn full(of_what: &str, limit: impl std::fmt::Display) -> Fault {
    let message = format!("the organization has {limit} {of_what} and may have no more");
    Fault::failed_precondition(ErrorReason::LimitReached, message).with_metadata("limit", limit.to_string())
}

/// Names each value that is none, or that its definition does not take.
fn refuse(field: &str, misfits: &[Misfit]) -> Fault {
    let refused = Fault::invalid_fields(misfits.iter().map(|misfit| misfit.told(field)));
    refused.unwrap_or_else(|| Fault::internal("values were refused and none is wrong"))
}
