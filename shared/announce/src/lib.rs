//! What happens in a service, told to the webhooks of its organization (D8) by way of the notifications service.
//!
//! ```text
//! effect + Announcer::record --commit--> relay, lane "webhooks" --> PublishWebhookEvents --> who wants it
//!             | only what somebody wants
//!          Interest  <-- every 10 s, of organizations in which something happens -- GetWebhookInterest
//! ```
//!
//! - [`Announcer`]: records what happened in the transaction of the effect, if a webhook of the organization wants it.
//! - [`Happening`]: what happened, in the words of the contract.
//! - [`TARGET`], [`deliver`]: the lane of the outbox, for the service's relay.
//! - [`asker`]: the worker that learns who wants what.
//!
//! Promise: what is acknowledged 30 seconds after a webhook was made, or was changed to want it, is told to it. While it is not known
//! what an organization wants (at the start, or while notifications cannot be reached), everything is recorded, and dropped there if
//! nobody wants it. Once it is known that nobody listens, an effect costs a look into a map and not one statement.

mod happening;
mod interest;

use std::sync::Arc;

use db::{BoxFuture, DbError, Tx};
use kernel::OrgId;
use outbox::{Deliver, Outbox, Outcome, Undelivered};
use proto::common::v1::EventOutcome;
use proto::notifications::v1::webhook_event_service_client::WebhookEventServiceClient;
use proto::notifications::v1::{
    GetWebhookInterestRequest, PublishWebhookEventsRequest, WebhookEvent, WebhookEventType,
};
use rpc::Peer;
use runtime::{DELIVERY, Worker};
use tonic::{Code, Status};

pub use happening::{Happening, by};
use interest::Interest;

/// The lane of the outbox.
pub const TARGET: &str = "webhooks";

/// Records what happened, for webhooks. Clones share what is known of organizations.
#[derive(Debug, Clone)]
pub struct Announcer {
    outbox: Outbox,
    interest: Arc<Interest>,
}

impl Announcer {
    /// An announcer into a service's outbox, which knows of no organization yet.
    pub fn new(outbox: Outbox) -> Self {
        Self { outbox, interest: Arc::default() }
    }

    /// Whether somebody in the organization may want to be told. If it is not known, it is assumed, and asked.
    pub fn wants(&self, org: &OrgId, kind: WebhookEventType) -> bool {
        self.interest.wants(org, kind)
    }

    /// The same, in the organization of a transaction.
    pub fn wants_in(&self, tx: &Tx, kind: WebhookEventType) -> bool {
        tx.org().is_some_and(|org| self.wants(org, kind))
    }

    /// What happened as an event of the outbox, to be recorded with others in the transaction of the effect; nothing if nobody wants it.
    pub fn event(
        &self,
        org: &OrgId,
        kind: WebhookEventType,
        happening: impl FnOnce() -> Happening,
    ) -> Option<outbox::Event> {
        self.wants(org, kind).then(|| happening().event(self.interest.wants_private_text(org)))
    }

    /// Records what happened in the transaction of the effect; what nobody wants is left out, and without any left there is no statement.
    ///
    /// # Errors
    /// [`DbError`] of the insert.
    pub fn record<'t>(
        &'t self,
        tx: &'t mut Tx,
        happened: Vec<Happening>,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        Box::pin(async move {
            let Some(org) = tx.org().cloned() else { return Ok(()) };
            let events: Vec<outbox::Event> =
                happened.into_iter().filter_map(|it| self.event(&org, it.kind, || it)).collect();
            self.outbox.record(tx, &events).await
        })
    }
}

/// Learns from the notifications service what organizations want to be told in which something happens.
pub fn asker(announcer: &Announcer, notifications: Peer) -> Worker {
    let interest = Arc::clone(&announcer.interest);
    Worker::new("webhook interest", move |stop| {
        interest::ask(Arc::clone(&interest), notifications.clone(), stop)
    })
}

/// Takes events to the notifications service. A version of it that knows no webhooks has none: there is nobody to be told.
pub fn deliver(notifications: Peer) -> Arc<dyn Deliver> {
    Arc::new(ToWebhooks(notifications))
}

struct ToWebhooks(Peer);

impl Deliver for ToWebhooks {
    fn deliver<'a>(
        &'a self,
        org: &'a OrgId,
        batch: Vec<outbox::Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>> {
        Box::pin(async move {
            match self.tell(org, runtime::recorded(&batch)?).await {
                Err(status) if status.code() == Code::Unimplemented => Ok(vec![Outcome::Done; batch.len()]),
                answer => runtime::delivered(batch.len(), answer),
            }
        })
    }
}

impl ToWebhooks {
    async fn tell(&self, org: &OrgId, mut events: Vec<WebhookEvent>) -> Result<Vec<EventOutcome>, Status> {
        let mut client = WebhookEventServiceClient::new(self.0.as_service(org, DELIVERY));
        if events.iter().any(|event| !event.private_text.is_empty()) {
            // It may have been recorded while nobody knew who wants what. What a note says leaves for those only who get it.
            let interest = client.get_webhook_interest(GetWebhookInterestRequest {}).await?.into_inner();
            if !interest.private_text {
                events.iter_mut().for_each(|event| event.private_text.clear());
            }
        }
        let answer = client.publish_webhook_events(PublishWebhookEventsRequest { events }).await?;
        Ok(answer.into_inner().outcomes)
    }
}

#[cfg(test)]
mod tests {
    use db::Migrations;
    use db::test_support::{TestDb, org};
    use kernel::Timestamp;
    use proto::notifications::v1::WebhookContactChange;
    use proto::notifications::v1::webhook_event::Change;

    use super::*;

    static TABLES: Migrations = Migrations { sets: &[&outbox::TABLES] };

    fn created(db: &TestDb) -> Happening {
        let contact = db.clock.new_id();
        Happening {
            event: db.clock.new_id().into(),
            kind: WebhookEventType::ContactCreated,
            time: Timestamp::from_micros(0),
            actor: None,
            change: Change::Contact(WebhookContactChange {
                contact_id: contact.to_string(),
                ..Default::default()
            }),
            key: contact,
            private_text: None,
        }
    }

    /// Records two contacts; how many events wait then.
    async fn recorded(db: &TestDb, announcer: &Announcer) -> i64 {
        let (announcer, happened) = (announcer.clone(), vec![created(db), created(db)]);
        let acme = org("acme");
        let write = db.write(&acme, move |tx| {
            Box::pin(async move {
                announcer.record(tx, happened).await?;
                tx.query("SELECT COUNT(*) FROM outbox WHERE org_id = $1 AND target = 'webhooks'")
                    .fetch_value(tx)
                    .await
            })
        });
        write.await.unwrap_or_else(|error: DbError| panic!("{error}"))
    }

    // D8
    db::both_databases!(
        what_nobody_wants_is_not_recorded_and_what_is_not_known_is,
        TABLES,
        |db| async move {
            let announcer = Announcer::new(Outbox::new());
            assert_eq!(recorded(&db, &announcer).await, 2, "not known yet");
            announcer.interest.learn(&org("acme"), &[]);
            assert_eq!(recorded(&db, &announcer).await, 2, "nobody listens");
            announcer.interest.learn(&org("acme"), &[WebhookEventType::ContactErased]);
            assert_eq!(recorded(&db, &announcer).await, 2, "somebody wants others");
            announcer.interest.learn(&org("acme"), &[WebhookEventType::ContactCreated]);
            assert_eq!(recorded(&db, &announcer).await, 4);
        }
    );
}
