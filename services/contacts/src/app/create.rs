//! A contact is made.

use audit::Origin;
use db::{Retry, Tx};
use kernel::{ContactId, OrgId, Timestamp};
use proto::notifications::v1::WebhookEventType;

use super::deeds::Deeds;
use super::set_attributes::steps;
use super::{App, activity, index, whole};
use crate::Error;
use crate::domain::{Actor, Address, Asked, AttributeChange, Contact, Happened, Profile, Tag};
use crate::store::{attributes, contacts, identities, tags};

/// What a new contact shall be.
#[derive(Debug, Clone)]
pub struct CreateContact {
    /// What is known of them.
    pub profile: Profile,
    /// The tags to carry from the start.
    pub tags: Vec<Tag>,
    /// The attributes to have from the start, each key once.
    pub attributes: Vec<Asked>,
    /// Who makes it.
    pub by: Actor,
    /// The request, for its retries.
    pub retry: Retry,
}

impl App {
    /// Makes a contact, who then owns the emails and phones of the profile.
    ///
    /// # Errors
    /// [`Error::Taken`] when another contact has one of them or the external id, [`Error::Misfits`],
    /// [`Error::RequestIdReused`].
    pub async fn create_contact(
        &self,
        org: &OrgId,
        origin: Origin,
        create: CreateContact,
    ) -> Result<Contact, Error> {
        let (id, now) = (ContactId::from(self.clock.new_id()), self.clock.now());
        let retry = create.retry.clone();
        let request_id = retry.request_id;
        let deeds = self.deeds(origin.of_request(request_id));
        let created = self.db.write_once(org, retry, move |tx| Box::pin(insert(tx, id, create, now, deeds)));
        created.await.map_err(|error: Error| error.of_request(request_id))
    }
}

async fn insert(
    tx: &mut Tx,
    id: ContactId,
    create: CreateContact,
    now: Timestamp,
    deeds: Deeds,
) -> Result<Contact, Error> {
    let CreateContact { profile, tags, attributes, by, retry: _ } = create;
    contacts::insert(tx, id, &profile, now).await?;
    take_addresses(tx, id, &profile.addresses(), now).await?;
    tags::insert(tx, id, &tags).await?;
    let change = AttributeChange { set: attributes, clear: Vec::new() };
    let steps = steps(tx, change, &[], "attributes").await?;
    attributes::set(tx, id, &steps.set).await?;
    activity::keep(tx, id, now, &by, [Happened::Created]).await?;
    deeds.record(tx, "contact.create", WebhookEventType::ContactCreated, id, now).await?;
    let contact = whole::get(tx, id).await?;
    index::add(tx, &contact).await?;
    Ok(contact)
}

/// Gives the addresses to the contact, all or none.
///
/// # Errors
/// [`Error::Taken`] when one of them is another contact's.
pub(super) async fn take_addresses(
    tx: &mut Tx,
    id: ContactId,
    addresses: &[Address],
    now: Timestamp,
) -> Result<(), Error> {
    if identities::insert(tx, id, addresses, now).await? == addresses.len() {
        return Ok(());
    }
    let keys: Vec<_> = addresses.iter().map(|address| address.key().clone()).collect();
    let owners = identities::find_owners(tx, &keys).await?;
    let Some(taken) = owners.into_iter().find(|owned| owned.contact_id != id) else { return Ok(()) };
    let taken = addresses.iter().find(|address| *address.key() == taken.key());
    Err(Error::Taken(if taken.is_some_and(|address| address.email().is_some()) {
        "emails"
    } else {
        "phones"
    }))
}
