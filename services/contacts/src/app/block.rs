//! Contacts are blocked and unblocked (C9). What a block does to their messages, routing does.

use audit::Origin;
use db::Tx;
use kernel::{ContactId, OrgId, Timestamp};
use proto::notifications::v1::WebhookEventType;

use super::deeds::Deeds;
use super::{App, activity, survivor, whole};
use crate::Error;
use crate::domain::{Actor, Block, Contact, Happened, Line};
use crate::store::contacts;

/// Whose block begins or ends.
#[derive(Debug, Clone)]
pub struct SetBlock {
    /// The contact.
    pub contact_id: ContactId,
    /// Who does it.
    pub by: Actor,
    /// Why they are blocked; nothing: they are unblocked.
    pub reason: Option<Line>,
}

impl App {
    /// Blocks or unblocks a contact. Who is blocked stays so for the first reason; what changes nothing leaves the version as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchContact`].
    pub async fn set_block(&self, org: &OrgId, origin: Origin, set: SetBlock) -> Result<Contact, Error> {
        let now = self.clock.now();
        let deeds = self.deeds(origin);
        self.db.write(org, move |tx| Box::pin(change(tx, set, now, deeds))).await
    }
}

async fn change(tx: &mut Tx, set: SetBlock, now: Timestamp, deeds: Deeds) -> Result<Contact, Error> {
    let SetBlock { contact_id, by, reason } = set;
    let row = survivor::lock(tx, contact_id).await?;
    let id = row.contact_id;
    let contact = whole::one(tx, row).await?;
    if contact.block.is_some() == reason.is_some() {
        return Ok(contact);
    }
    let (action, happened) = match &reason {
        Some(reason) => ("contact.block", Happened::Blocked(reason.clone())),
        None => ("contact.unblock", Happened::Unblocked),
    };
    let block = reason.map(|reason| Block { actor: by.clone(), block_time: now, reason });
    contacts::set_block(tx, id, block.as_ref(), now).await?;
    activity::keep(tx, id, now, &by, [happened]).await?;
    deeds.record(tx, action, WebhookEventType::ContactUpdated, id, now).await?;
    Ok(Contact { block, version: contact.version + 1, update_time: now, ..contact })
}
