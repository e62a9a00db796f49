//! What happened is kept once, and becomes a delivery to each webhook that wants it.

use std::collections::BTreeSet;

use db::{DbError, Tx};
use kernel::{EventId, Timestamp};
use outbox::Wake;
use uuid::Uuid;

use super::Carried;
use crate::app::enqueue::enqueue;
use crate::domain::delivery::{Body, Channel, NewDelivery};
use crate::domain::webhook::{Webhook, WebhookId, WebhookState};
use crate::domain::webhook_event::{EventType, WebhookEvent};
use crate::store::{webhook_events, webhooks};

/// More than an organization may have, as two that are made at the same time may be one too many.
const LISTENING: i64 = 200;

/// Takes what happened in an organization, in its transaction and best as the last thing of it. What no webhook wants is dropped; what
/// one wants that is not called for now is kept for a replay.
///
/// # Errors
/// [`DbError`] of a statement.
pub async fn take(tx: &mut Tx, wake: &Wake, events: &[WebhookEvent], now: Timestamp) -> Result<(), DbError> {
    for event in events.iter().filter(|event| event.kind == EventType::ContactErased) {
        if let Some(contact) = event.contact {
            webhook_events::remove_of_contact(tx, contact).await?;
        }
    }
    // Held: one that is enabled meanwhile finds the event when it has it replayed.
    let listening = webhooks::hold(tx, LISTENING).await?;
    let kept: Vec<&WebhookEvent> = events
        .iter()
        .filter(|event| listening.iter().any(|webhook| webhook.terms.want(event.kind)))
        .collect();
    if kept.is_empty() {
        return Ok(());
    }
    webhook_events::insert(tx, &kept, &private(&kept, &listening), now).await?;
    let clock = tx.clock().clone();
    let deliveries = deliveries(&kept, &listening, now, || clock.new_id());
    enqueue(tx, wake, deliveries).await
}

/// The events of which a webhook gets what a note says.
fn private(events: &[&WebhookEvent], listening: &[Webhook]) -> BTreeSet<EventId> {
    let opted = |event: &&&WebhookEvent| {
        listening.iter().any(|webhook| webhook.terms.include_private && webhook.terms.want(event.kind))
    };
    events.iter().filter(opted).map(|event| event.event_id).collect()
}

/// One for each event and each webhook that is called and wants it, in the order of the events.
fn deliveries(
    events: &[&WebhookEvent],
    listening: &[Webhook],
    now: Timestamp,
    mut new_id: impl FnMut() -> Uuid,
) -> Vec<NewDelivery> {
    let called = |webhook: &&Webhook| webhook.state == WebhookState::Enabled;
    let mut deliveries = Vec::new();
    for webhook in listening.iter().filter(called) {
        for event in events.iter().filter(|event| webhook.terms.want(event.kind)) {
            let (id, object) = (new_id(), event.object);
            deliveries.push(delivery(id, webhook.webhook_id, event.event_id, object, now));
        }
    }
    deliveries
}

/// The delivery of an event to a webhook: in order with others of the same object.
pub(super) fn delivery(
    id: Uuid,
    webhook: WebhookId,
    event_id: EventId,
    object: Uuid,
    now: Timestamp,
) -> NewDelivery {
    NewDelivery {
        delivery_id: id.into(),
        channel: Channel::Webhook,
        subject: None,
        destination: webhook.to_string(),
        lane: object.to_string(),
        body: Body::of(&Carried { event_id }),
        due_time: now,
    }
}
