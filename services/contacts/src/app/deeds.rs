//! What is done to contacts goes into the audit trail, and to webhooks that want it.

use announce::{Announcer, Happening};
use audit::{Event, Origin};
use db::{DbError, Tx};
use kernel::{ContactId, Timestamp};
use proto::notifications::v1::WebhookEventType;

use super::App;
use crate::domain::Merge;
use crate::events::webhooks;

/// Where an effect comes from, and who is told of it.
#[derive(Debug, Clone)]
pub(super) struct Deeds {
    /// What the audit trail says of where it comes from.
    pub(super) origin: Origin,
    announcer: Announcer,
}

impl App {
    /// Of what comes from there.
    pub(super) fn deeds(&self, origin: Origin) -> Deeds {
        Deeds { origin, announcer: self.announcer.clone() }
    }
}

impl Deeds {
    /// Something was done to a contact: `action` to the audit trail, `kind` to webhooks.
    pub(super) async fn record(
        &self,
        tx: &mut Tx,
        action: &'static str,
        kind: WebhookEventType,
        contact: ContactId,
        now: Timestamp,
    ) -> Result<(), DbError> {
        audit::record(tx, &self.origin, &[Event::new(action, contact)]).await?;
        self.announce(tx, kind, &[contact], now).await
    }

    /// Tells webhooks what was done to these contacts.
    pub(super) async fn announce(
        &self,
        tx: &mut Tx,
        kind: WebhookEventType,
        contacts: &[ContactId],
        now: Timestamp,
    ) -> Result<(), DbError> {
        if contacts.is_empty() || !self.announcer.wants_in(tx, kind) {
            return Ok(());
        }
        let clock = tx.clock().clone();
        let told =
            contacts.iter().map(|id| webhooks::of_contact(&clock, &self.origin, kind, *id, now)).collect();
        self.announcer.record(tx, told).await
    }

    /// Two contacts became one, or parted again.
    pub(super) async fn record_merge(
        &self,
        tx: &mut Tx,
        action: &'static str,
        kind: WebhookEventType,
        merge: &Merge,
        now: Timestamp,
    ) -> Result<(), DbError> {
        audit::record(tx, &self.origin, &Event::each(action, [merge.from, merge.into])).await?;
        let told: Happening = webhooks::of_merge(tx.clock(), &self.origin, kind, merge, now);
        self.announcer.record(tx, vec![told]).await
    }
}
