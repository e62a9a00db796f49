//! A profile is changed.

use audit::Origin;
use db::{Retry, Tx};
use kernel::{ContactId, OrgId, Timestamp};
use proto::notifications::v1::WebhookEventType;

use super::create::take_addresses;
use super::deeds::Deeds;
use super::{App, index, survivor, whole};
use crate::Error;
use crate::domain::{AddressChange, Contact, Mask, Profile};
use crate::store::{contacts, identities};

/// What shall become of a contact.
#[derive(Debug, Clone)]
pub struct UpdateContact {
    /// Whose profile.
    pub contact_id: ContactId,
    /// The new values.
    pub profile: Profile,
    /// Which of them count.
    pub mask: Mask,
    /// The version that was read; nothing: whatever it is now.
    pub version: Option<i64>,
    /// The request, for its retries.
    pub retry: Retry,
}

impl App {
    /// Changes a contact's profile. What changes nothing leaves the version as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchContact`], [`Error::StaleVersion`], [`Error::Taken`], [`Error::RequestIdReused`].
    pub async fn update_contact(
        &self,
        org: &OrgId,
        origin: Origin,
        update: UpdateContact,
    ) -> Result<Contact, Error> {
        let now = self.clock.now();
        let (retry, request_id) = (update.retry.clone(), update.retry.request_id);
        let deeds = self.deeds(origin.of_request(request_id));
        let updated = self.db.write_once(org, retry, move |tx| Box::pin(change(tx, update, now, deeds)));
        updated.await.map_err(|error: Error| error.of_request(request_id))
    }
}

async fn change(tx: &mut Tx, update: UpdateContact, now: Timestamp, deeds: Deeds) -> Result<Contact, Error> {
    let row = survivor::lock(tx, update.contact_id).await?;
    let id = row.contact_id;
    let old = whole::one(tx, row).await?;
    if update.version.is_some_and(|version| version != old.version) {
        return Err(Error::StaleVersion { current: old.version });
    }
    let new = update.mask.merge(&old.profile, update.profile);
    if new == old.profile {
        return Ok(old);
    }
    let addresses = AddressChange::between(&old.profile, &new);
    contacts::update(tx, id, &new, now).await?;
    identities::remove(tx, id, &addresses.given_up).await?;
    take_addresses(tx, id, &addresses.taken, now).await?;
    deeds.record(tx, "contact.update", WebhookEventType::ContactUpdated, id, now).await?;
    let contact = whole::get(tx, id).await?;
    index::follow(tx, &contact).await?;
    Ok(contact)
}
