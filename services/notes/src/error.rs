//! What can happen instead of an answer, and how it is told.

use db::{DbError, RequestIdReused};
use kernel::{Malformed, NoteId, Role};
use proto::common::v1::ErrorReason;
use rpc::Fault;
use tonic::Code;
use uuid::Uuid;

use crate::domain::Misfit;
use crate::domain::export::pdf::MOST_ENTRIES;
use crate::domain::internal_address::Unaddressed;
use crate::domain::internal_message::MOST_PEOPLE;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The organization has no such note.
    #[error("no such note")]
    NoSuchNote,
    /// The organization has none of what this field of the request names; others name something as well.
    #[error("nothing there by {0}")]
    Named(&'static str),
    /// The note is deleted, and so is neither changed nor replied to.
    #[error("the note is deleted")]
    NoteDeleted {
        /// The note.
        note_id: NoteId,
    },
    /// Nobody can take over by the name of the receiver of a handoff, or its author would.
    #[error("a handoff without a receiver")]
    NoReceiver,
    /// The note hands nothing over.
    #[error("the note is no handoff")]
    NotAHandoff {
        /// The note.
        note_id: NoteId,
    },
    /// The handoff is to somebody else.
    #[error("the handoff is to somebody else")]
    NotTheReceiver {
        /// The note.
        note_id: NoteId,
    },
    /// A reply to a note that is on something else.
    #[error("the note it replies to is elsewhere")]
    ReplyElsewhere,
    /// A note on a contact from nowhere, which the organization does not allow.
    #[error("a note on a contact is written from within a conversation")]
    ConversationRequired,
    /// A note on a contact from within a conversation with another.
    #[error("the conversation is with another contact")]
    AnotherContact,
    /// The organization has no such note template.
    #[error("no such note template")]
    NoSuchTemplate,
    /// Another note template has this name.
    #[error("the name of another note template")]
    TemplateNameTaken,
    /// Required fields of a note template are not filled in.
    #[error("required fields of the template are missing")]
    TemplateFieldsMissing {
        /// Their keys.
        keys: Vec<String>,
    },
    /// A part of a note template, or of what was filled in, does not have the form it must have.
    #[error(transparent)]
    Misfit(Misfit),
    /// The note is somebody else's and the caller no admin.
    #[error("only the author and admins change a note")]
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
    /// The request id was used for another request.
    #[error("the request id was used for another request")]
    Reused {
        /// The id, where the one who noticed knew it.
        request_id: Option<Uuid>,
    },
    /// The caller sees no such thread of internal messages, nor such a message, nor any on the conversation.
    #[error("no such internal thread")]
    NoSuchInternalThread,
    /// It is not clear for whom an internal message is, or it cannot be for them.
    #[error(transparent)]
    Unaddressed(#[from] Unaddressed),
    /// A thread of internal messages has as many people as it may.
    #[error("the thread has as many people as it may")]
    TooManyPeople,
    /// The organization has switched this off.
    #[error("switched off by {setting}")]
    DisabledBySetting {
        /// The setting, as the contract spells it.
        setting: &'static str,
    },
    /// The caller's role may not take a file of this profile.
    #[error("only supervisors and admins take a file of the profile FULL")]
    ProfileNotOpen {
        /// The caller's role.
        role: Role,
        /// The path of the method.
        method: &'static str,
    },
    /// The history has more entries or more text than a PDF may have.
    #[error("the history is too long for a PDF")]
    TooLongForPdf,
    /// A file could not be written; in the words of who found that.
    #[error("the file cannot be written: {0}")]
    Unwritable(Fault),
    /// The service stops, and streams end.
    #[error("the service stops")]
    Stopping,
    /// A value of the request does not have the form it must have.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Routing does not know the conversation, or did not answer; in its words.
    #[error("routing: {0}")]
    Routing(Fault),
    /// Contacts does not know the contact, or did not answer; in its words.
    #[error("contacts: {0}")]
    Contacts(Fault),
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

impl Error {
    /// The same, of what this field of a request names, where a request names several things: if it is not there, the answer says so
    /// of the field.
    #[must_use]
    pub fn named_by(self, field: &'static str) -> Self {
        let absent = |fault: Fault| match fault.code() {
            Code::NotFound => Fault::not_found_in(&[field.to_owned()]),
            _ => fault,
        };
        match self {
            Self::NoSuchNote | Self::NoSuchTemplate => Self::Named(field),
            Self::Routing(fault) => Self::Routing(absent(fault)),
            Self::Contacts(fault) => Self::Contacts(absent(fault)),
            other => other,
        }
    }

    /// The same, of a write of a note template: another has its name.
    #[must_use]
    pub fn of_template(self) -> Self {
        match self {
            Self::Database(error) if error.violates_unique_on("note_templates", "name") => {
                Self::TemplateNameTaken
            }
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
            Error::NoSuchNote | Error::NoSuchInternalThread | Error::NoSuchTemplate => Fault::not_found(),
            Error::Named(field) => Fault::not_found_in(&[field.to_owned()]),
            Error::NoteDeleted { note_id } => {
                let text = "the note is deleted: it can neither be changed nor be replied to";
                Fault::failed_precondition(ErrorReason::NoteDeleted, text)
                    .with_metadata("note_id", note_id.to_string())
                    .precondition("NOTE_DELETED", note_id.to_string(), text)
            }
            Error::NoReceiver => Fault::invalid(
                "handoff.receiver_username",
                "must be the username of an agent, other than yours: find one with SearchPeople",
            ),
            Error::NotAHandoff { note_id } => {
                let text = "the note hands nothing over: there is nothing to acknowledge";
                Fault::failed_precondition(ErrorReason::NotAHandoff, text)
                    .with_metadata("note_id", note_id.to_string())
                    .precondition("NOT_A_HANDOFF", note_id.to_string(), text)
            }
            Error::NotTheReceiver { note_id } => {
                let text = "only the receiver of a handoff acknowledges it";
                Fault::new(Code::PermissionDenied, ErrorReason::NotTheReceiver, text)
                    .with_metadata("note_id", note_id.to_string())
            }
            Error::ReplyElsewhere => {
                Fault::invalid("reply_to", "must be a note on the same conversation or the same contact")
            }
            Error::ConversationRequired => {
                let (setting, text) = (
                    "contact_note_requires_conversation",
                    "a note on a contact is written from within a conversation with them: name it in conversation_id",
                );
                Fault::failed_precondition(ErrorReason::ConversationRequired, text)
                    .with_metadata("setting", setting)
                    .precondition("CONVERSATION_REQUIRED", setting, text)
            }
            Error::AnotherContact => {
                Fault::invalid("conversation_id", "must be a conversation with this contact")
            }
            Error::TemplateNameTaken => Fault::already_exists("name"),
            Error::TemplateFieldsMissing { keys } => {
                let text = "required fields of the template are not filled in: see the field violations";
                let fault = Fault::new(Code::InvalidArgument, ErrorReason::TemplateFieldMissing, text)
                    .with_metadata("fields", keys.join(","));
                keys.iter().fold(fault, |fault, key| {
                    fault.violation(format!("template.values[{key}]"), "is required by the template")
                })
            }
            Error::Misfit(misfit) => Fault::invalid(misfit.field, misfit.reason),
            Error::Unaddressed(why) if why.is_wrong() => {
                Fault::invalid("recipient_agent_id", why.to_string())
            }
            Error::Unaddressed(why) => Fault::failed_precondition(
                ErrorReason::RecipientNeeded,
                why.to_string(),
            )
            .precondition("RECIPIENT_NEEDED", "to", why.to_string()),
            Error::TooManyPeople => {
                let text = "the thread has 50 people, as many as it may have: write to one of them instead";
                Fault::failed_precondition(ErrorReason::LimitReached, text)
                    .with_metadata("limit", MOST_PEOPLE.to_string())
            }
            Error::DisabledBySetting { setting } => {
                let text = format!("the organization has switched this off: {setting}");
                Fault::failed_precondition(ErrorReason::DisabledBySetting, &text)
                    .with_metadata("setting", setting)
                    .precondition("DISABLED_BY_SETTING", setting, text)
            }
            Error::NotTheAuthor { role, method } => {
                let text =
                    "only the author and admins change or delete a note: write one of your own instead";
                Fault::new(Code::PermissionDenied, ErrorReason::RoleNotAllowed, text)
                    .with_metadata("role", role.as_str())
                    .with_metadata("method", method)
            }
            Error::ProfileNotOpen { role, method } => {
                let text = "the profile FULL is for supervisors and admins: take WITH_NOTES or CUSTOMER_SAFE";
                Fault::new(Code::PermissionDenied, ErrorReason::RoleNotAllowed, text)
                    .with_metadata("role", role.as_str())
                    .with_metadata("method", method)
            }
            Error::TooLongForPdf => {
                let text =
                    "a PDF has at most 50,000 entries and 16 MiB of text: take JSON, which has no limit";
                Fault::failed_precondition(ErrorReason::LimitReached, text)
                    .with_metadata("limit", MOST_ENTRIES.to_string())
                    .precondition("LIMIT_REACHED", "format", text)
            }
            Error::Stopping => Fault::unavailable("notes"),
            Error::StaleVersion { current } => Fault::stale_etag(rpc::convert::etag(current)),
            Error::Reused { request_id } => {
                Fault::request_id_reused(request_id.map(|id| id.to_string()).unwrap_or_default())
            }
            Error::Malformed(malformed) => malformed.into(),
            Error::Routing(fault) | Error::Contacts(fault) | Error::Unwritable(fault) => fault,
            // It was erased while this was under way.
            Error::Database(error) if erasure::refused(&error) => Fault::not_found(),
            Error::Database(error) => runtime::database(error),
        }
    }
}
