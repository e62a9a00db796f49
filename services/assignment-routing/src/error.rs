//! What can go wrong, named for what happened; and, in one place, how callers learn of it.

use db::{DbError, RequestIdReused};
use kernel::Malformed;
use proto::common::v1::ErrorReason;
use rpc::Fault;
use tonic::Code;

use crate::app::prepared::Missing;
use crate::domain::condition::BadExpression;
use crate::domain::handoff::Unfit;
use crate::domain::offer::{OfferId, OfferState};

/// Why a use case did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database's.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A peer's, as our caller is to see it.
    #[error(transparent)]
    Peer(#[from] Fault),
    /// The request id was used for another payload.
    #[error("the request id was used for another payload")]
    RequestIdReused,
    /// A page token of another list.
    #[error(transparent)]
    BadPageToken(Malformed),
    /// A field has a value that its rules in the contract cannot exclude.
    #[error("{field}: {reason}")]
    Invalid {
        /// As the contract spells it.
        field: &'static str,
        /// What would be right.
        reason: String,
    },
    /// Absent, or another organization's.
    #[error("no such agent")]
    NoSuchAgent,
    /// Absent, or another organization's.
    #[error("no such team")]
    NoSuchTeam,
    /// Absent, or another organization's, or not the contact's own.
    #[error("no such conversation")]
    NoSuchConversation,
    /// Absent, or another organization's.
    #[error("no such workflow")]
    NoSuchWorkflow,
    /// Absent, or another organization's.
    #[error("no such SLA policy")]
    NoSuchSlaPolicy,
    /// Absent, or another organization's.
    #[error("no such offer")]
    NoSuchOffer,
    /// Somebody else is asked.
    #[error("somebody else is asked")]
    NotYourOffer(OfferId),
    /// It was answered otherwise, its time is over, or it was taken back.
    #[error("the offer has ended")]
    OfferEnded {
        /// The offer.
        offer: OfferId,
        /// What became of it.
        state: OfferState,
    },
    /// A username or a team's handle is taken.
    #[error("the handle is taken")]
    HandleTaken,
    /// The subject has an agent already.
    #[error("the subject is taken")]
    SubjectTaken,
    /// It changed since it was read.
    #[error("changed since it was read")]
    Stale {
        /// The version it has now.
        version: i64,
    },
    /// A workflow or a conversation names the team.
    #[error("the team is in use by {0}")]
    TeamInUse(&'static str),
    /// The conversation is resolved.
    #[error("the conversation is resolved")]
    Resolved,
    /// An agent said of another whether they are there.
    #[error("availability of another agent")]
    NotYours,
    /// An agent asked for the report of another.
    #[error("the report of another agent")]
    NotYourReport,
    /// The organization has as many workflows as it may.
    #[error("the organization has {most} workflows")]
    TooManyWorkflows {
        /// As many as it may have.
        most: i64,
    },
    /// The organization has as many SLA policies as it may.
    #[error("the organization has {most} SLA policies")]
    TooManySlaPolicies {
        /// As many as it may have.
        most: i64,
    },
    /// Something that cannot be left out was.
    #[error("{field} is needed")]
    Incomplete {
        /// As the contract spells it.
        field: String,
    },
    /// A field has a value that does not go with others.
    #[error("{field}: {reason}")]
    Unfit {
        /// As the contract spells it, with its place.
        field: String,
        /// What would be right.
        reason: &'static str,
    },
    /// A condition is not valid.
    #[error("{field}: {bad}")]
    BadCondition {
        /// As the contract spells it.
        field: String,
        /// What is wrong with it, and where.
        bad: BadExpression,
    },
    /// A message is for a conversation that nobody knows yet.
    #[error("the conversation is not known")]
    UnknownConversation,
    /// Workflows need what was not at hand: it is begun anew with that, and nobody outside learns of it.
    #[error("workflows need something more")]
    Unprepared(Missing),
    /// It cannot be given away so.
    #[error("a handoff is missing, or reaches nobody")]
    Handoff(Unfit),
    /// Some conversations of a batch cannot change: the error of each of these, in its place.
    #[error("some of the batch cannot change")]
    Refused(Vec<Option<Error>>),
    /// Somebody else did the same thing at the same moment: to be tried again.
    #[error("raced by another transaction")]
    Raced,
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Self {
        Self::Handoff(unfit)
    }
}

impl Error {
    /// The error of the only conversation of a batch.
    #[must_use]
    pub fn alone(self) -> Self {
        match self {
            Self::Refused(errors) => errors.into_iter().flatten().next().unwrap_or(Self::Raced),
            other => other,
        }
    }
}

impl From<RequestIdReused> for Error {
    fn from(_: RequestIdReused) -> Self {
        Self::RequestIdReused
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let absent =
            |what: &str| Fault::new(Code::NotFound, ErrorReason::NotFound, format!("no such {what}"));
        match error {
            Error::Db(error) => database(error),
            Error::Peer(fault) => fault,
            Error::RequestIdReused => Fault::new(
                Code::InvalidArgument,
                ErrorReason::RequestIdReused,
                "this request_id was used for another payload: choose a new one",
            ),
            Error::BadPageToken(malformed) => malformed.at("page_token").into(),
            Error::Invalid { field, reason } => Fault::invalid(field, reason),
            Error::NoSuchAgent => absent("agent"),
            Error::NoSuchTeam => absent("team"),
            Error::NoSuchConversation | Error::UnknownConversation => absent("conversation"),
            Error::NoSuchWorkflow => absent("workflow"),
            Error::NoSuchSlaPolicy => absent("SLA policy"),
            Error::NoSuchOffer => absent("offer"),
            Error::NotYourOffer(id) => Fault::new(
                Code::PermissionDenied,
                ErrorReason::NotTheReceiver,
                "the conversation is offered to somebody else: only they can answer",
            )
            .with_metadata("offer_id", id.to_string()),
            Error::OfferEnded { offer, state } => Fault::failed_precondition(
                ErrorReason::OfferEnded,
                "the offer is not open any more: list yours, and answer one of these",
            )
            .with_metadata("offer_id", offer.to_string())
            .with_metadata("state", state.as_str())
            .precondition("OFFER_ENDED", "offer", format!("it is {}", state.as_str())),
            Error::HandleTaken => Fault::already_exists("handle"),
            Error::SubjectTaken => Fault::already_exists("subject"),
            Error::Stale { version } => Fault::stale_etag(rpc::convert::etag(version)),
            Error::TeamInUse(by) => Fault::failed_precondition(
                ErrorReason::InUse,
                "the team is still in use: take it out of there first",
            )
            .with_metadata("used_by", by)
            .precondition("IN_USE", "team", format!("a {by} names it")),
            Error::Resolved => Fault::failed_precondition(
                ErrorReason::ConversationResolved,
                "the conversation is resolved: reopen it first",
            )
            .precondition("CONVERSATION_RESOLVED", "conversation", "it is resolved"),
            Error::NotYours => Fault::new(
                Code::PermissionDenied,
                ErrorReason::RoleNotAllowed,
                "agents set their own availability; supervisors and admins set that of others",
            )
            .with_metadata("role", "agent"),
            Error::NotYourReport => Fault::new(
                Code::PermissionDenied,
                ErrorReason::RoleNotAllowed,
                "agents read their own report; supervisors and admins read everybody's",
            )
            .with_metadata("role", "agent"),
            Error::TooManyWorkflows { most } => too_many("workflows", most),
            Error::TooManySlaPolicies { most } => too_many("SLA policies", most),
            Error::Incomplete { field } => Fault::invalid(field, "is needed"),
            Error::Unfit { field, reason } => Fault::invalid(field, reason),
            Error::BadCondition { field, bad } => Fault::new(
                Code::InvalidArgument,
                ErrorReason::InvalidExpression,
                format!("the condition is not valid: {bad}"),
            )
            .violation(field, bad.to_string())
            .with_metadata("line", bad.line.to_string())
            .with_metadata("column", bad.column.to_string())
            .with_metadata("expected", bad.expected),
            Error::Handoff(why) => unfit(why),
            refused @ Error::Refused(_) => refused.alone().into(),
            Error::Unprepared(_) | Error::Raced => database(DbError::Busy),
        }
    }
}

/// Why a conversation cannot be given away with, or without, this handoff.
fn unfit(why: Unfit) -> Fault {
    match why {
        Unfit::Required { setting } => Fault::failed_precondition(
            ErrorReason::HandoffRequired,
            "the organization demands a handoff for this: say in `handoff` what whoever takes over has to know",
        )
        .with_metadata("setting", setting)
        .precondition("HANDOFF_REQUIRED", "conversation", format!("the setting {setting} is on")),
        Unfit::ToNobody => Fault::invalid("handoff", "reaches nobody: leave it out"),
        Unfit::ToOneself => {
            Fault::invalid("handoff", "is for somebody else: leave it out to take the conversation over")
        }
        Unfit::TheirsAlready => {
            Fault::invalid("handoff", "goes to who has the conversation already: write them a note instead")
        }
    }
}

fn too_many(what: &str, most: i64) -> Fault {
    Fault::failed_precondition(
        ErrorReason::LimitReached,
        format!("the organization has {most} {what}, as many as it may have: delete one first"),
    )
    .with_metadata("limit", most.to_string())
    .precondition("LIMIT_REACHED", what, format!("there are {most}"))
}

/// The only rows that refer to others are those of queues: their team was deleted at that moment, and the same call
/// will not meet it again.
fn database(error: DbError) -> Fault {
    runtime::database(if error == DbError::ForeignKey { DbError::Busy } else { error })
}
