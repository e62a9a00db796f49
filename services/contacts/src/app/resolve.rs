//! The owner of an address is found, or made (C2).
//!
//! Most calls find the owner and only read. In a process one call at a time makes an owner of an address. For a new address the primary key of `identities` decides: of many
//! transactions that make an owner at once, one inserts the address; the others wait for it, find the address taken,
//! roll back the contact they had begun, and look again.

use audit::Origin;
use db::{Db, DbError, Gather, Tx};
use kernel::{ContactId, OrgId, Timestamp};
use proto::notifications::v1::WebhookEventType;

use super::deeds::Deeds;
use super::{App, activity, index, whole};
use crate::Error;
use crate::domain::{Actor, Address, AddressKey, Contact, Happened, Line, Profile, first_owner};
use crate::store::{contacts, identities, merged_addresses};

/// How often to look for an owner. Each round ends because another call just gave the address away, or took it; that
/// this happens to one call several times in a row takes somebody who does nothing else.
const ROUNDS: usize = 5;

/// Whose contact is asked for.
#[derive(Debug, Clone)]
pub struct ResolveContact {
    /// The address.
    pub address: Address,
    /// What to call a contact who is made now.
    pub display_name: Line,
    /// Who asks, and so makes them.
    pub by: Actor,
}

/// The owner of an address.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The owner.
    pub contact: Contact,
    /// Who the address was of before merges that stand, and will be of again.
    pub first: Option<ContactId>,
    /// Whether the owner was made now.
    pub created: bool,
}

impl App {
    /// Finds the contact who owns the address, or makes one.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn resolve_contact(
        &self,
        org: &OrgId,
        origin: Origin,
        resolve: ResolveContact,
    ) -> Result<Resolved, Error> {
        let key = resolve.address.key();
        for _ in 0..ROUNDS {
            if let Some((contact, first)) = self.owners.ask(org, key.clone()).await? {
                return Ok(Resolved { contact, first, created: false });
            }
            let turn = self.making.take((org.clone(), key.clone())).await;
            if turn.waited() {
                continue;
            }
            let (id, now) = (ContactId::from(self.clock.new_id()), self.clock.now());
            let (resolve, deeds) = (resolve.clone(), self.deeds(origin.clone()));
            match self.db.write(org, move |tx| Box::pin(link_or_make(tx, resolve, id, now, deeds))).await {
                Err(Error::LostRace) => {}
                resolved => return resolved,
            }
        }
        Err(Error::Database(DbError::Busy))
    }
}

/// An owner, and who the address was of before merges that stand.
pub(super) type Owned = (Contact, Option<ContactId>);

/// Contacts by their addresses: those that are asked for at the same time with one read.
pub(super) fn owners(db: Db) -> Gather<AddressKey, Owned> {
    Gather::new(db, |tx, keys| {
        Box::pin(async move {
            let owners = merged_addresses::find_owners(tx, &keys).await?;
            let ids: Vec<ContactId> = owners.values().map(|owner| owner.contact_id).collect();
            let contacts = whole::by_id(tx, &ids).await?;
            let known = owners.into_iter().filter_map(|(key, owner)| {
                // One that was merged away between the two reads is asked for again.
                let contact = contacts.get(&owner.contact_id)?.clone();
                Some((key, (contact, first_owner(owner.contact_id, &owner.merges))))
            });
            Ok(known.collect())
        })
    })
}

/// The contact who is known by exactly this address.
async fn find_owner(tx: &mut Tx, address: &Address) -> Result<Option<Resolved>, Error> {
    let mut owners = merged_addresses::find_owners(tx, std::slice::from_ref(address.key())).await?;
    let Some(owner) = owners.remove(address.key()) else { return Ok(None) };
    let first = first_owner(owner.contact_id, &owner.merges);
    match whole::get(tx, owner.contact_id).await {
        // Merged away between the two reads: the address is another's by now.
        Err(Error::NoSuchContact) => Err(Error::LostRace),
        contact => Ok(Some(Resolved { contact: contact?, first, created: false })),
    }
}

async fn link_or_make(
    tx: &mut Tx,
    resolve: ResolveContact,
    id: ContactId,
    now: Timestamp,
    deeds: Deeds,
) -> Result<Resolved, Error> {
    let ResolveContact { address, display_name, by } = resolve;
    // Again, inside the transaction: on SQLite, whose transactions come one after the other, this settles it.
    if let Some(resolved) = find_owner(tx, &address).await? {
        return Ok(resolved);
    }
    if let Some(through) = address.owned_through()
        && let Some(resolved) = link(tx, &address, &through, now).await?
    {
        let id = resolved.contact.contact_id;
        deeds.record(tx, "contact.link", WebhookEventType::ContactUpdated, id, now).await?;
        return Ok(resolved);
    }
    let contact = make(tx, id, &address, display_name, now).await?;
    activity::keep(tx, id, now, &by, [Happened::Created]).await?;
    deeds.record(tx, "contact.create", WebhookEventType::ContactCreated, id, now).await?;
    Ok(Resolved { contact, first: None, created: true })
}

/// Gives the address to the owner of the other address through which it is owned, if there is one.
async fn link(
    tx: &mut Tx,
    address: &Address,
    through: &Address,
    now: Timestamp,
) -> Result<Option<Resolved>, Error> {
    let key = std::slice::from_ref(through.key());
    let owners = identities::find_owners(tx, key).await?;
    let Some(owner) = owners.first().map(|owned| owned.contact_id) else { return Ok(None) };
    contacts::lock(tx, owner).await?;
    // While the lock was waited for, the owner may have given up the number.
    if identities::find_owners(tx, key).await? != owners {
        return Err(Error::LostRace);
    }
    if identities::insert(tx, owner, std::slice::from_ref(address), now).await? == 0 {
        return Err(Error::LostRace);
    }
    contacts::touch(tx, owner, now).await?;
    let resolved = find_owner(tx, address).await?.ok_or(Error::LostRace)?;
    index::follow(tx, &resolved.contact).await?;
    Ok(Some(resolved))
}

async fn make(
    tx: &mut Tx,
    id: ContactId,
    address: &Address,
    display_name: Line,
    now: Timestamp,
) -> Result<Contact, Error> {
    contacts::insert(tx, id, &Profile::of_stranger(address, display_name), now).await?;
    let addresses: Vec<Address> =
        [Some(address.clone()), address.owned_through()].into_iter().flatten().collect();
    if identities::insert(tx, id, &addresses, now).await? < addresses.len() {
        return Err(Error::LostRace);
    }
    let contact = whole::get(tx, id).await?;
    index::add(tx, &contact).await?;
    Ok(contact)
}
