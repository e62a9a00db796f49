//! What happened since a time is sent again.

use audit::Event;
use db::{Retry, Tx};
use kernel::{EventId, OrgId, Timestamp};
use outbox::Wake;
use rpc::Call;
use uuid::Uuid;

use super::lock;
use super::take::delivery;
use crate::app::App;
use crate::app::enqueue::enqueue;
use crate::domain::webhook::{WebhookId, WebhookState};
use crate::error::Error;
use crate::store::webhook_events::{self, Place};

/// Events queued by one call: a transaction of some tens of milliseconds.
const EVENTS: usize = 1_000;

/// What tokens of a replay are sealed as.
const REPLAY: &str = "notifications.webhook-replay";

impl App {
    /// Queues what a webhook wants of what happened since a time, as much as one call may; tells how much that was, and the token to
    /// go on with.
    ///
    /// # Errors
    /// [`Error::NoSuchWebhook`], [`Error::WebhookNotEnabled`], [`Error::ForeignPageToken`], [`Error::Reused`], [`Error::Db`].
    pub async fn replay_webhook_events(
        &self,
        call: &Call,
        retry: Retry,
        id: WebhookId,
        since: Timestamp,
        token: &str,
    ) -> Result<(usize, String), Error> {
        let org = &call.caller.org;
        let binding = binding(org, id, since);
        let from = match token {
            "" => Place { create_time: since, event_id: EventId::from_uuid(Uuid::nil()) },
            token => self.seal.open(REPLAY, &binding, token).map_err(|_| Error::ForeignPageToken)?,
        };
        let (wake, request_id) = (self.wake.clone(), retry.request_id);
        let origin = runtime::origin(call).of_request(request_id);
        let write = self.db.write_once(org, retry, move |tx| {
            Box::pin(async move {
                let replayed = replay(tx, &wake, id, from).await?;
                audit::record(tx, &origin, &[Event::new("webhook.replay", id)]).await?;
                Ok(replayed)
            })
        });
        let (queued, place) = write.await.map_err(|error: Error| error.of_request(request_id))?;
        let next = place.map(|place| self.seal.seal(REPLAY, &binding, &place));
        Ok((queued, next.unwrap_or_default()))
    }
}

/// Queues events behind a place; tells how many, and where there are more.
async fn replay(
    tx: &mut Tx,
    wake: &Wake,
    id: WebhookId,
    from: Place,
) -> Result<(usize, Option<Place>), Error> {
    let webhook = lock(tx, id, None).await?;
    if webhook.state != WebhookState::Enabled {
        return Err(Error::WebhookNotEnabled { state: webhook.state });
    }
    if webhook.terms.event_types.is_empty() {
        return Ok((0, None));
    }
    let limit = i64::try_from(EVENTS).unwrap_or(i64::MAX).saturating_add(1);
    let mut events = webhook_events::behind(tx, from, &webhook.terms.event_types, limit).await?;
    let more = events.len() > EVENTS;
    events.truncate(EVENTS);
    let last = events.last().filter(|_| more);
    let last = last.map(|last| Place { create_time: last.create_time, event_id: last.event_id });
    let (now, clock) = (tx.now().await?, tx.clock().clone());
    let again = events.iter().map(|it| delivery(clock.new_id(), id, it.event_id, it.object_id, now));
    enqueue(tx, wake, again.collect()).await?;
    Ok((events.len(), last))
}

fn binding(org: &OrgId, id: WebhookId, since: Timestamp) -> Vec<u8> {
    format!("{org}/{id}/{}", since.as_micros()).into_bytes()
}
