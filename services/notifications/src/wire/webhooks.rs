//! Webhooks.

use std::collections::BTreeSet;
use std::time::Duration;

use db::Retry;
use kernel::Timestamp;
use proto::notifications::v1 as pb;
use rpc::convert::{etag, id_of, proto_time, time_of};
use rpc::{Call, Fault, update_mask};

use super::webhook_events::{event_type, proto_event_type};
use crate::app::webhooks::Change;
use crate::domain::webhook::{Terms, Webhook, WebhookId, WebhookState, description};
use crate::domain::webhook_call::Answered;
use crate::domain::webhook_event::EventType;

/// Reads a request to make a webhook, and the key of its retries.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub(crate) fn new_webhook(call: &Call, request: pb::CreateWebhookRequest) -> Result<(Terms, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let terms = Terms {
        url: request.url,
        description: description(request.description)?,
        event_types: event_types(&request.event_types),
        include_private: request.include_private,
    };
    Ok((terms, retry))
}

/// Reads what a request changes of a webhook, and the key of its retries. Without a mask, what is set changes.
///
/// # Errors
/// INVALID_ARGUMENT naming the field, or the path of the update mask.
pub(crate) fn change(call: &Call, request: pb::UpdateWebhookRequest) -> Result<(Change, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let known = [
        ("url", !request.url.is_empty()),
        ("description", !request.description.is_empty()),
        ("event_types", !request.event_types.is_empty()),
        ("include_private", request.include_private),
        ("enabled", request.enabled),
    ];
    let paths = update_mask::paths(request.update_mask.as_ref(), &known)?;
    if paths.has("event_types") && request.event_types.is_empty() {
        return Err(Fault::invalid(
            "event_types",
            "must have at least one; pause the webhook to tell it nothing",
        ));
    }
    let change = Change {
        url: paths.take("url", request.url),
        description: paths.take("description", request.description).map(description).transpose()?,
        event_types: paths.take("event_types", event_types(&request.event_types)),
        include_private: paths.take("include_private", request.include_private),
        enabled: paths.take("enabled", request.enabled),
    };
    Ok((change, retry))
}

/// The contract has refused what is no type.
fn event_types(types: &[i32]) -> BTreeSet<EventType> {
    types.iter().filter_map(|kind| event_type(*kind)).collect()
}

/// Reads since when to replay.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub(crate) fn since(time: Option<prost_types::Timestamp>) -> Result<Timestamp, Fault> {
    time_of("since_time", &time.unwrap_or_default())
}

/// Reads a webhook's id.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub(crate) fn webhook_id(text: &str) -> Result<WebhookId, Fault> {
    id_of("webhook_id", text)
}

/// A webhook for the wire, without its secret.
pub(crate) fn webhook(webhook: Webhook, now: Timestamp) -> pb::Webhook {
    let previous = webhook.secrets.previous.map(|(_, until)| until).filter(|until| now < *until);
    pb::Webhook {
        webhook_id: webhook.webhook_id.to_string(),
        etag: etag(webhook.version),
        url: webhook.terms.url,
        description: webhook.terms.description,
        event_types: webhook
            .terms
            .event_types
            .into_iter()
            .map(|kind| proto_event_type(kind).into())
            .collect(),
        include_private: webhook.terms.include_private,
        state: state(webhook.state).into(),
        failing_since_time: webhook.failing_since.map(proto_time),
        previous_secret_expire_time: previous.map(proto_time),
        create_time: Some(proto_time(webhook.create_time)),
        update_time: Some(proto_time(webhook.update_time)),
    }
}

fn state(state: WebhookState) -> pb::WebhookState {
    match state {
        WebhookState::Enabled => pb::WebhookState::Enabled,
        WebhookState::Paused => pb::WebhookState::Paused,
        WebhookState::Disabled => pb::WebhookState::Disabled,
    }
}

/// What a webhook answered on trial.
pub(crate) fn tested(answered: Answered, took: Duration) -> pb::TestWebhookResponse {
    pb::TestWebhookResponse {
        accepted: answered.accepted(),
        response_status: answered.status().into(),
        failure: answered.failure(),
        duration: prost_types::Duration::try_from(took).ok(),
    }
}

/// Every event that a webhook can be told.
pub(crate) fn kinds() -> Vec<pb::WebhookEventKind> {
    let kind = |kind: EventType| pb::WebhookEventKind {
        r#type: proto_event_type(kind).into(),
        name: kind.as_str().to_owned(),
        has_private: matches!(kind, EventType::NoteCreated | EventType::NoteUpdated),
    };
    EventType::ALL.into_iter().map(kind).collect()
}
