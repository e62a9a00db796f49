//! A merge is taken back (C6): both contacts part from its snapshot.

use std::collections::BTreeMap;

use audit::Origin;
use db::{DbError, Retry, Tx};
use kernel::{MergeId, OrgId, Timestamp};
use outbox::Outbox;
use proto::notifications::v1::WebhookEventType;
use serde::{Deserialize, Serialize};

use super::deeds::Deeds;
use super::merge::{count, fresh};
use super::{App, activity, index, whole};
use crate::domain::{
    Actor, Address, AddressKey, Attribute, Contact, Deed, Definition, Happened, Key, ListId, Merge, Side,
    Snapshot, Tag,
};
use crate::store::{
    attributes, contacts, definitions, identities, lists, members, merged_addresses, merges, tags,
};
use crate::{Error, events};

/// How often to try. Each round ends because the contact came to a list, or left one, at that very moment.
const ROUNDS: usize = 5;

/// A merge to take back.
#[derive(Debug, Clone)]
pub struct UnmergeContacts {
    /// Which.
    pub merge_id: MergeId,
    /// The version of the contact that stayed, as it was read; nothing: whatever it is now.
    pub into_version: Option<i64>,
    /// Who does it.
    pub by: Actor,
    /// The request, for its retries.
    pub retry: Retry,
}

/// Two contacts that parted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parted {
    /// The merge, taken back.
    pub merge: Merge,
    /// The contact that had gone.
    pub from: Contact,
    /// The contact that had stayed.
    pub into: Contact,
    /// What could not come back, as it is no more.
    pub left_out: Vec<String>,
}

impl App {
    /// Takes a merge back.
    ///
    /// # Errors
    /// [`Error::NoSuchMerge`], [`Error::Undone`], [`Error::NotLatest`], [`Error::StaleSide`], [`Error::Taken`] when an address or
    /// the external id is another contact's by now, [`Error::RequestIdReused`].
    pub async fn unmerge_contacts(
        &self,
        org: &OrgId,
        origin: Origin,
        unmerge: UnmergeContacts,
    ) -> Result<Parted, Error> {
        let (now, request_id) = (self.clock.now(), unmerge.retry.request_id);
        let origin = origin.of_request(request_id);
        for _ in 0..ROUNDS {
            let (outbox, deeds) = (self.outbox.clone(), self.deeds(origin.clone()));
            let (retry, unmerge) = (unmerge.retry.clone(), unmerge.clone());
            let parted = self
                .db
                .write_once(org, retry, move |tx| Box::pin(part(tx, unmerge, now, outbox, deeds)))
                .await;
            match parted {
                Err(Error::LostRace) => {}
                parted => return parted.map_err(|error: Error| error.of_request(request_id)),
            }
        }
        Err(Error::Database(DbError::Busy))
    }
}

async fn part(
    tx: &mut Tx,
    unmerge: UnmergeContacts,
    time: Timestamp,
    outbox: Outbox,
    deeds: Deeds,
) -> Result<Parted, Error> {
    let UnmergeContacts { merge_id, into_version, by, retry: _ } = unmerge;
    let undone = Deed { actor: by, time };
    let (mut merge, now) = latest(tx, merge_id).await?;
    fresh("into_etag", into_version, &now)?;
    let snapshot = merges::get_snapshot(tx, merge_id).await?;
    let mut plan = Plan { into: snapshot.parted(&now), from: snapshot.from.clone(), left_out: Vec::new() };
    plan.leave_out(tx, &now).await?;
    give_back(tx, &merge, &snapshot, &now, &plan, undone.time).await?;
    let (from, into) = (whole::get(tx, merge.from).await?, whole::get(tx, merge.into).await?);
    merges::undo(tx, merge_id, &undone, into.version).await?;
    merged_addresses::forget(tx, merge_id).await?;
    index::add(tx, &from).await?;
    index::follow(tx, &into).await?;
    activity::keep(tx, merge.into, undone.time, &undone.actor, [Happened::Unmerged(merge.from)]).await?;
    merge.undone = Some(undone);
    outbox.record(tx, &events::of_unmerge(tx.clock(), &merge)).await?;
    deeds.record_merge(tx, "contact.unmerge", WebhookEventType::ContactUnmerged, &merge, time).await?;
    Ok(Parted { merge, from, into, left_out: plan.left_out })
}

/// The merge and the contact that stayed, which nobody else changes until the transaction ends: only the last merge into a contact that
/// is there itself is taken back.
async fn latest(tx: &mut Tx, merge_id: MergeId) -> Result<(Merge, Side), Error> {
    let into = merges::find(tx, merge_id).await?.ok_or(Error::NoSuchMerge)?.into;
    let row = contacts::lock(tx, into).await?;
    // Again, as another may have taken it back while the lock was waited for.
    let merge = merges::find(tx, merge_id).await?.ok_or(Error::NoSuchMerge)?;
    if merge.undone.is_some() {
        return Err(Error::Undone);
    }
    let Some(row) = row else {
        let later = merges::find_standing_from(tx, into).await?;
        return Err(later.map_or(Error::NoSuchMerge, |later| Error::NotLatest { later }));
    };
    match merges::find_latest_into(tx, into).await? {
        Some(latest) if latest != merge_id => return Err(Error::NotLatest { later: latest }),
        _ => {}
    }
    let contact = whole::one(tx, row).await?;
    let lists = members::list_of(tx, into).await?.into_iter().collect();
    Ok((merge, Side { contact, lists }))
}

/// What both are to be.
struct Plan {
    into: Side,
    from: Side,
    left_out: Vec<String>,
}

impl Plan {
    /// Leaves out what is no more: lists, and values that their definitions no longer take. The rest is kept as it is until the
    /// transaction ends.
    async fn leave_out(&mut self, tx: &mut Tx, now: &Side) -> Result<(), Error> {
        let wanted: Vec<ListId> = self.from.lists.iter().copied().collect();
        let there = lists::lock_all(tx, &wanted).await?;
        // While the locks were waited for, the contact that stayed may have left one.
        let id = now.contact.contact_id;
        if members::list_of(tx, id).await? != now.lists.iter().copied().collect::<Vec<_>>() {
            return Err(Error::LostRace);
        }
        self.from.lists.retain(|list| there.contains(list));
        let gone = wanted.iter().filter(|list| !there.contains(*list));
        self.left_out.extend(gone.map(|list| format!("lists.{list}")));
        let kept = |attribute: &Attribute| now.contact.attributes.contains(attribute);
        let back: Vec<&Attribute> = self.into.contact.attributes.iter().filter(|one| !kept(one)).collect();
        let keys: Vec<&Key> =
            self.from.contact.attributes.iter().chain(back).map(|attribute| &attribute.key).collect();
        let definitions: BTreeMap<Key, Definition> =
            definitions::hold(tx, &keys).await?.into_iter().map(|one| (one.key.clone(), one)).collect();
        let mut left_out = Vec::new();
        let mut fits = |attribute: &Attribute| {
            let fits = definitions.get(&attribute.key).is_some_and(|one| one.keeps(&attribute.value));
            if !fits {
                left_out.push(format!("attributes.{}", attribute.key.as_str()));
            }
            fits
        };
        self.from.contact.attributes.retain(&mut fits);
        self.into.contact.attributes.retain(|attribute| kept(attribute) || fits(attribute));
        left_out.dedup();
        self.left_out.extend(left_out);
        Ok(())
    }
}

/// Writes both contacts as planned.
async fn give_back(
    tx: &mut Tx,
    merge: &Merge,
    snapshot: &Snapshot,
    now: &Side,
    plan: &Plan,
    time: Timestamp,
) -> Result<(), Error> {
    let (old, new) = (&now.contact, &plan.into.contact);
    // First, as the other may take its external id back.
    contacts::update(tx, merge.into, &new.profile, time).await?;
    if new.block != old.block {
        contacts::set_block(tx, merge.into, new.block.as_ref(), time).await?;
    }
    let gone: Vec<Tag> = old.tags.iter().filter(|tag| !new.tags.contains(tag)).cloned().collect();
    tags::remove(tx, merge.into, &gone).await?;
    let has = |key: &Key| new.attributes.iter().any(|attribute| attribute.key == *key);
    let cleared: Vec<Key> =
        old.attributes.iter().map(|attribute| attribute.key.clone()).filter(|key| !has(key)).collect();
    let set: Vec<Attribute> =
        new.attributes.iter().filter(|one| !old.attributes.contains(one)).cloned().collect();
    attributes::clear(tx, merge.into, &cleared).await?;
    attributes::set(tx, merge.into, &set).await?;

    let from = &plan.from.contact;
    contacts::restore(tx, from, from.version + 1, time).await?;
    give_addresses(tx, merge, snapshot).await?;
    tags::insert(tx, merge.from, &from.tags).await?;
    attributes::set(tx, merge.from, &from.attributes).await?;
    change_lists(tx, merge, now, plan).await?;
    merges::return_activities(tx, merge).await?;
    Ok(merges::forget_activities(tx, merge.merge_id).await?)
}

/// Gives the addresses back: from the contact that stayed, or from nobody, if they were given up meanwhile. A number comes back on every
/// channel on which it is known by now.
async fn give_addresses(tx: &mut Tx, merge: &Merge, snapshot: &Snapshot) -> Result<(), Error> {
    let contact = &snapshot.from.contact;
    let mut addresses: Vec<(Address, Timestamp)> = Vec::with_capacity(contact.identities.len());
    for identity in &contact.identities {
        addresses.push((Address::of_identity(identity)?, identity.create_time));
    }
    identities::give(tx, merge.into, merge.from, &contact.every_key()?).await?;
    let wanted: Vec<AddressKey> = addresses.iter().map(|(address, _)| address.key().clone()).collect();
    let owned = identities::find_owners(tx, &wanted).await?;
    if owned.len() < wanted.len() {
        identities::restore(tx, merge.from, addresses).await?;
    }
    let owners = identities::find_owners(tx, &wanted).await?;
    match owners.iter().find(|owned| owned.contact_id != merge.from) {
        None => Ok(()),
        Some(taken) => Err(Error::Taken(field_of(&taken.key()))),
    }
}

/// The field of a contact in which the address shows.
fn field_of(key: &AddressKey) -> &'static str {
    match key.channel.as_str() {
        "email" => "emails",
        "phone" => "phones",
        _ => "identities",
    }
}

/// Puts the contact that had gone on its lists; the other leaves those on which it was only for it.
async fn change_lists(tx: &mut Tx, merge: &Merge, now: &Side, plan: &Plan) -> Result<(), Error> {
    let leaving: Vec<ListId> = now.lists.difference(&plan.into.lists).copied().collect();
    let joining: Vec<ListId> = plan.from.lists.iter().copied().collect();
    let left = members::leave(tx, merge.into, &leaving).await?;
    let joined = members::join(tx, merge.from, &joining).await?;
    count(tx, &left, &joined).await
}
