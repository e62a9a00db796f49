//! A contact's attributes are set and cleared (C4).

use std::collections::BTreeMap;

use audit::Origin;
use db::Tx;
use kernel::{ContactId, OrgId, Timestamp};
use proto::notifications::v1::WebhookEventType;

use super::deeds::Deeds;
use super::{App, index, survivor, whole};
use crate::Error;
use crate::domain::{Attribute, AttributeChange, AttributeSteps, Contact, Definition, Key};
use crate::store::{attributes, contacts, definitions};

/// Which attributes a contact shall have and which not.
#[derive(Debug, Clone)]
pub struct SetAttributes {
    /// Whose.
    pub contact_id: ContactId,
    /// The attributes.
    pub change: AttributeChange,
    /// The contact's version that was read; nothing: whatever it is now.
    pub version: Option<i64>,
}

impl App {
    /// Sets and clears attributes of a contact. What changes nothing leaves the version as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchContact`], [`Error::StaleVersion`], [`Error::Misfits`].
    pub async fn set_attributes(
        &self,
        org: &OrgId,
        origin: Origin,
        set: SetAttributes,
    ) -> Result<Contact, Error> {
        let now = self.clock.now();
        let deeds = self.deeds(origin);
        self.db.write(org, move |tx| Box::pin(change(tx, set, now, deeds))).await
    }
}

async fn change(tx: &mut Tx, set: SetAttributes, now: Timestamp, deeds: Deeds) -> Result<Contact, Error> {
    let row = survivor::lock(tx, set.contact_id).await?;
    let id = row.contact_id;
    let old = whole::one(tx, row).await?;
    if set.version.is_some_and(|version| version != old.version) {
        return Err(Error::StaleVersion { current: old.version });
    }
    let steps = steps(tx, set.change, &old.attributes, "set").await?;
    if steps.is_nothing() {
        return Ok(old);
    }
    attributes::set(tx, id, &steps.set).await?;
    attributes::clear(tx, id, &steps.cleared).await?;
    contacts::touch(tx, id, now).await?;
    deeds.record(tx, "contact.set_attributes", WebhookEventType::ContactUpdated, id, now).await?;
    let new = whole::get(tx, id).await?;
    index::follow(tx, &new).await?;
    Ok(new)
}

/// What there is to do, checked against the definitions as they stay until the transaction ends. `field` is the request's, for
/// refusals.
pub(super) async fn steps(
    tx: &mut Tx,
    change: AttributeChange,
    had: &[Attribute],
    field: &'static str,
) -> Result<AttributeSteps, Error> {
    let keys: Vec<&Key> = change.set.iter().flatten().map(|attribute| &attribute.key).collect();
    let definitions = definitions::hold(tx, &keys).await?;
    let definitions: BTreeMap<Key, Definition> =
        definitions.into_iter().map(|definition| (definition.key.clone(), definition)).collect();
    change.over(had, &definitions).map_err(|misfits| Error::Misfits { field, misfits })
}
