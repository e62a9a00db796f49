//! What can go wrong here, and what each means to a caller.

use db::{DbError, RequestIdReused};
use kernel::Malformed;
use proto::common::v1::ErrorReason;
use rpc::Fault;
use tonic::Code;
use uuid::Uuid;

use crate::domain::delivery::Channel;
use crate::domain::mute::MUTES;
use crate::domain::webhook::{MOST_WEBHOOKS, WebhookState};

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
    /// What should be changed changed since the caller read it.
    #[error("it changed since it was read")]
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
    /// There is no such delivery in the caller's organization.
    #[error("no such delivery")]
    NoSuchDelivery,
    /// The caller has no such device. Another person's device is no different.
    #[error("no such device")]
    NoSuchDevice,
    /// Nothing can be sent to this address.
    #[error("device: {0}")]
    BadDevice(Malformed),
    /// The operator has not set up this way of delivery.
    #[error("{} is not set up", .0.as_str())]
    ChannelNotConfigured(Channel),
    /// The token is not one of a link to turn email off.
    #[error("not a token of an unsubscribe link")]
    ForeignUnsubscribeToken,
    /// The organization has no such webhook.
    #[error("no such webhook")]
    NoSuchWebhook,
    /// This URL may not be called.
    #[error("url: {0}")]
    BadUrl(Malformed),
    /// The organization has as many webhooks as it may have.
    #[error("too many webhooks")]
    TooManyWebhooks,
    /// The webhook is not called for now.
    #[error("the webhook is {}", .state.as_str())]
    WebhookNotEnabled {
        /// How it stands.
        state: WebhookState,
    },
    /// The caller muted as many conversations as they may.
    #[error("too many muted conversations")]
    TooManyMutes,
    /// Routing refused a question, or does not answer.
    #[error("routing: {0}")]
    Routing(Fault),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
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
            Error::NoSuchNotification => Self::not_found(),
            Error::BadSnooze(malformed) => malformed.into(),
            Error::ForeignPageToken => foreign_token("page_token", "list again from the first page"),
            Error::ForeignResumeToken => {
                foreign_token("start.resume_token", "list again, then open from now")
            }
            Error::StaleVersion { current } => Self::stale_etag(rpc::convert::etag(current)),
            Error::Reused { request_id } => {
                Self::request_id_reused(request_id.map(|id| id.to_string()).unwrap_or_default())
            }
            Error::NoSuchDevice | Error::NoSuchDelivery => Self::not_found(),
            Error::BadDevice(malformed) => malformed.into(),
            Error::ChannelNotConfigured(channel) => not_configured(channel),
            Error::ForeignUnsubscribeToken => {
                Self::invalid("token", "must be the token of an unsubscribe link, as the email has it")
            }
            Error::NoSuchWebhook => Self::not_found(),
            Error::BadUrl(malformed) => malformed.at("url").into(),
            Error::TooManyWebhooks => too_many_webhooks(),
            Error::WebhookNotEnabled { state } => not_enabled(state),
            Error::TooManyMutes => too_many_mutes(),
            Error::Routing(fault) => fault,
            Error::Db(error) => runtime::database(error),
        }
    }
}

/// With the setting that is missing, for whoever operates the suite.
fn not_configured(channel: Channel) -> Fault {
    let setting = match channel {
        Channel::Email => "email.host",
        Channel::WebPush => "push.vapid_key",
        Channel::Fcm => "push.fcm_service_account",
        Channel::Webhook => "egress",
    };
    let message = format!("not set up here: its operator sets `notifications.{setting}`");
    Fault::failed_precondition(ErrorReason::ChannelNotConfigured, message)
        .with_metadata("channel", channel.as_str().to_ascii_uppercase())
}

fn too_many_mutes() -> Fault {
    let text = format!("{MUTES} conversations are muted, as many as may be: unmute one first");
    Fault::failed_precondition(ErrorReason::LimitReached, text)
        .with_metadata("limit", MUTES.to_string())
        .precondition("LIMIT_REACHED", "mutes", format!("there are {MUTES}"))
}

fn too_many_webhooks() -> Fault {
    let text =
        format!("the organization has {MOST_WEBHOOKS} webhooks, as many as it may have: delete one first");
    Fault::failed_precondition(ErrorReason::LimitReached, text)
        .with_metadata("limit", MOST_WEBHOOKS.to_string())
        .precondition("LIMIT_REACHED", "webhooks", format!("there are {MOST_WEBHOOKS}"))
}

fn not_enabled(state: WebhookState) -> Fault {
    let state = state.as_str();
    let text = format!("the webhook is {state}: enable it first (UpdateWebhook)");
    Fault::failed_precondition(ErrorReason::WebhookNotEnabled, text)
        .with_metadata("state", state.to_ascii_uppercase())
}

fn foreign_token(field: &str, remedy: &str) -> Fault {
    Fault::new(
        Code::InvalidArgument,
        ErrorReason::InvalidPageToken,
        format!("this token was not given here: {remedy}"),
    )
    .violation(field, "must be a token that this call gave to this caller, for the same filter")
}
