//! What happened in other services goes to the webhooks that want to know (D8): each event once.

use std::collections::HashSet;

use audit::Origin;
use db::{DbError, Tx};
use erasure::Kind;
use kernel::{EventId, OrgId};
use outbox::Wake;
use uuid::Uuid;

use super::notify::Applied;
use super::{App, webhooks};
use crate::domain::webhook_event::{EventType, Interest, WebhookEvent};
use crate::error::Error;
use crate::store;

impl App {
    /// What the organization's webhooks want to be told. That a contact is erased is to be told wherever something is kept for webhooks, as
    /// what is about the contact has to go.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn webhook_interest(&self, org: &OrgId) -> Result<Interest, Error> {
        let read = self.db.read(org, |tx| {
            Box::pin(async move {
                let mut interest = store::webhooks::interest(tx).await?;
                if !interest.types.is_empty() || store::webhook_events::is_any_kept(tx).await? {
                    interest.types.insert(EventType::ContactErased);
                }
                Ok(interest)
            })
        });
        read.await.map_err(Error::Db)
    }

    /// Passes events on to those of the organization's webhooks that want them; answers for each, in order. What nobody wants leaves no
    /// trace and counts as applied.
    ///
    /// # Errors
    /// [`Error::Db`]: nothing took effect.
    pub async fn publish(
        &self,
        org: &OrgId,
        origin: Origin,
        events: Vec<WebhookEvent>,
    ) -> Result<Vec<Applied>, Error> {
        let wanted = self.webhook_interest(org).await?;
        let asked: Vec<EventId> = events.iter().map(|event| event.event_id).collect();
        let events: Vec<WebhookEvent> =
            events.into_iter().filter_map(|event| wanted.of_interest(event)).collect();
        if events.is_empty() {
            return Ok(vec![Applied::Now; asked.len()]);
        }
        let wake = self.wake.clone();
        let write =
            self.db.write(org, move |tx| Box::pin(async move { apply(tx, &wake, &origin, events).await }));
        let before: HashSet<EventId> = write.await.map_err(Error::Db)?;
        let answer = |id| if before.contains(id) { Applied::Before } else { Applied::Now };
        Ok(asked.iter().map(answer).collect())
    }
}

impl Interest {
    /// The event as somebody wants it, or nothing.
    fn of_interest(&self, event: WebhookEvent) -> Option<WebhookEvent> {
        let private_text = event.private_text.filter(|_| self.private_text);
        self.types.contains(&event.kind).then_some(WebhookEvent { private_text, ..event })
    }
}

/// Applies events in one transaction; tells which took effect before.
async fn apply(
    tx: &mut Tx,
    wake: &Wake,
    origin: &Origin,
    mut events: Vec<WebhookEvent>,
) -> Result<HashSet<EventId>, DbError> {
    let now = tx.now().await?;
    let ids: Vec<EventId> = events.iter().map(|event| event.event_id).collect();
    let erased = erased(tx, &events).await?;
    let mut new = outbox::first_time(tx, &ids).await?;
    let before: HashSet<EventId> = ids.iter().copied().filter(|id| !new.contains(id)).collect();
    // Each once, also within the batch; and of what was erased nobody is told.
    events.retain(|event| {
        let about_erased = event.conversation.is_some_and(|id| erased.contains(&id.as_uuid()));
        new.remove(&event.event_id) && !about_erased
    });
    if !events.is_empty() {
        let applied = events.iter().map(|event| event.event_id);
        audit::record(tx, origin, &audit::Event::each("event.publish", applied)).await?;
        webhooks::take(tx, wake, &events, now).await?;
    }
    Ok(before)
}

/// Which of the events' conversations are erased; nobody erases another before the transaction ends.
async fn erased(tx: &mut Tx, events: &[WebhookEvent]) -> Result<HashSet<Uuid>, DbError> {
    let named: HashSet<Uuid> =
        events.iter().filter_map(|event| event.conversation).map(|id| id.as_uuid()).collect();
    let named: Vec<Uuid> = named.into_iter().collect();
    if named.is_empty() {
        return Ok(HashSet::new());
    }
    erasure::hold(tx, Kind::Conversation, &named).await?;
    erasure::list_buried(tx, Kind::Conversation, &named).await
}
