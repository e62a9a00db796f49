//! Two contacts who are one person become one, and what that would do (C6).
//!
//! The contact that goes is removed: no list, search or count can meet it, and its addresses are the other's. What it was is in the
//! merge's snapshot, and its id means the contact that stays as long as the merge stands (`survivor`).

use std::collections::BTreeSet;

use audit::Origin;
use db::{DbError, Retry, Tx};
use kernel::{ContactId, MergeId, OrgId, Timestamp};
use outbox::Outbox;
use proto::notifications::v1::WebhookEventType;

use super::deeds::Deeds;
use super::{App, activity, index, survivor, whole};
use crate::domain::{
    Actor, Attribute, Conflict, Contact, Deed, Happened, ListId, Merge, Side, Single, Snapshot, Tag, Union,
};
use crate::store::{attributes, contacts, identities, lists, members, merged_addresses, merges, tags};
use crate::{Error, events};

/// How often to try a merge. Each round ends because one of the two came to a list, or left one, at that very moment.
const ROUNDS: usize = 5;

/// Which two contacts, and whose values.
#[derive(Debug, Clone)]
pub struct Pairing {
    /// The contact that goes.
    pub from: ContactId,
    /// The contact that stays.
    pub into: ContactId,
    /// Where the value of the contact that goes counts.
    pub take: BTreeSet<Single>,
}

/// Two contacts to merge.
#[derive(Debug, Clone)]
pub struct MergeContacts {
    /// Which.
    pub pairing: Pairing,
    /// The version of the contact that goes, as it was read; nothing: whatever it is now.
    pub from_version: Option<i64>,
    /// The version of the contact that stays, as it was read; nothing: whatever it is now.
    pub into_version: Option<i64>,
    /// Who does it.
    pub by: Actor,
    /// The request, for its retries.
    pub retry: Retry,
}

/// What a merge would do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Both contacts as they are.
    pub from: Side,
    /// The contact that would stay, as it is.
    pub into: Side,
    /// The contact that would stay, as it would be.
    pub merged: Side,
    /// Where the two disagree.
    pub conflicts: Vec<Conflict>,
}

impl App {
    /// Tells what a merge would do.
    ///
    /// # Errors
    /// As [`App::merge_contacts`], but for versions.
    pub async fn preview_merge(&self, org: &OrgId, pairing: Pairing) -> Result<Preview, Error> {
        self.db.read(org, move |tx| Box::pin(preview(tx, pairing))).await
    }

    /// Merges two contacts.
    ///
    /// # Errors
    /// [`Error::OneContact`], [`Error::NoSuchContacts`], [`Error::MergedAway`], [`Error::StaleSide`], [`Error::TooLarge`],
    /// [`Error::RequestIdReused`].
    pub async fn merge_contacts(
        &self,
        org: &OrgId,
        origin: Origin,
        merge: MergeContacts,
    ) -> Result<(Merge, Contact), Error> {
        let (merge_id, request_id) = (self.clock.new_id().into(), merge.retry.request_id);
        let now = self.clock.now();
        let origin = origin.of_request(request_id);
        for _ in 0..ROUNDS {
            let (outbox, deeds) = (self.outbox.clone(), self.deeds(origin.clone()));
            let (retry, merge) = (merge.retry.clone(), merge.clone());
            let merged = self
                .db
                .write_once(org, retry, move |tx| Box::pin(unite(tx, (merge_id, now), merge, outbox, deeds)))
                .await;
            match merged {
                Err(Error::LostRace) => {}
                merged => return merged.map_err(|error: Error| error.of_request(request_id)),
            }
        }
        Err(Error::Database(DbError::Busy))
    }
}

async fn preview(tx: &mut Tx, pairing: Pairing) -> Result<Preview, Error> {
    pairing.check()?;
    let from = side(tx, "from_contact_id", pairing.from).await?;
    let into = side(tx, "into_contact_id", pairing.into).await?;
    let Union { merged, conflicts } = Union::of(&from, &into, &pairing.take)?;
    Ok(Preview { from, into, merged, conflicts })
}

impl Pairing {
    fn check(&self) -> Result<(), Error> {
        if self.from == self.into { Err(Error::OneContact("into_contact_id")) } else { Ok(()) }
    }

    /// Lets nobody else change the two before the transaction ends. In the order of their ids, so that two merges of the same two do
    /// not wait for one another.
    async fn lock(&self, tx: &mut Tx) -> Result<(), DbError> {
        for id in [self.from.min(self.into), self.from.max(self.into)] {
            contacts::lock(tx, id).await?;
        }
        Ok(())
    }
}

/// One of the two. `field` is the request's that names it.
async fn side(tx: &mut Tx, field: &'static str, id: ContactId) -> Result<Side, Error> {
    let Some(row) = contacts::find(tx, id).await? else {
        let absent = || Error::NoSuchContacts { fields: vec![field.to_owned()] };
        let survivor = survivor::find(tx, id).await?.ok_or_else(absent)?;
        return Err(Error::MergedAway { field, survivor });
    };
    let contact = whole::one(tx, row).await?;
    let lists = members::list_of(tx, id).await?.into_iter().collect();
    Ok(Side { contact, lists })
}

async fn unite(
    tx: &mut Tx,
    (merge_id, now): (MergeId, Timestamp),
    merge: MergeContacts,
    outbox: Outbox,
    deeds: Deeds,
) -> Result<(Merge, Contact), Error> {
    let MergeContacts { pairing, from_version, into_version, by, retry: _ } = merge;
    let done = Deed { actor: by, time: now };
    pairing.check()?;
    pairing.lock(tx).await?;
    let from = side(tx, "from_contact_id", pairing.from).await?;
    let into = side(tx, "into_contact_id", pairing.into).await?;
    fresh("from_etag", from_version, &from)?;
    fresh("into_etag", into_version, &into)?;
    let Union { merged, .. } = Union::of(&from, &into, &pairing.take)?;
    let merge = Merge { merge_id, from: pairing.from, into: pairing.into, done, undone: None };
    hand_over(tx, &merge, &from, &into, &merged).await?;
    let keys = from.contact.every_key()?;
    let snapshot = Snapshot { from, into, merged };
    let contact = whole::get(tx, merge.into).await?;
    index::follow(tx, &contact).await?;
    merges::insert(tx, &merge, &snapshot, contact.version).await?;
    merged_addresses::insert(tx, merge_id, &keys).await?;
    activity::keep(tx, merge.into, merge.done.time, &merge.done.actor, [Happened::Merged(merge.from)])
        .await?;
    outbox.record(tx, &events::of_merge(tx.clock(), &merge)).await?;
    deeds.record_merge(tx, "contact.merge", WebhookEventType::ContactMerged, &merge, now).await?;
    Ok((merge, contact))
}

/// Refuses a contact that changed since it was read.
pub(super) fn fresh(field: &'static str, version: Option<i64>, side: &Side) -> Result<(), Error> {
    match version {
        Some(version) if version != side.contact.version => {
            Err(Error::StaleSide { field, current: side.contact.version })
        }
        _ => Ok(()),
    }
}

/// Gives everything of one contact to the other, and removes the one.
async fn hand_over(tx: &mut Tx, merge: &Merge, from: &Side, into: &Side, merged: &Side) -> Result<(), Error> {
    let Merge { merge_id, from: gone, into: stays, .. } = *merge;
    change_lists(tx, from, into).await?;
    identities::give_all(tx, gone, stays).await?;
    merges::remember_activities(tx, merge_id, gone).await?;
    merges::move_activities(tx, gone, stays).await?;
    // Before the other takes its external id.
    contacts::delete(tx, gone).await?;
    let (old, new) = (&into.contact, &merged.contact);
    let added: Vec<Tag> = new.tags.iter().filter(|tag| !old.tags.contains(tag)).cloned().collect();
    let set: Vec<Attribute> =
        new.attributes.iter().filter(|one| !old.attributes.contains(one)).cloned().collect();
    tags::insert(tx, stays, &added).await?;
    attributes::set(tx, stays, &set).await?;
    contacts::update(tx, stays, &new.profile, merge.done.time).await?;
    if new.block != old.block {
        contacts::set_block(tx, stays, new.block.as_ref(), merge.done.time).await?;
    }
    Ok(())
}

/// Lets the contact that stays take the other's place on its lists.
async fn change_lists(tx: &mut Tx, from: &Side, into: &Side) -> Result<(), Error> {
    let (gone, stays) = (from.contact.contact_id, into.contact.contact_id);
    let all: Vec<ListId> = from.lists.union(&into.lists).copied().collect();
    lists::lock_all(tx, &all).await?;
    // From here on nothing comes to it, neither a list nor an activity. While the locks were waited for, it may have come to a list: whoever
    // puts it there has the list first and it second, so it is not waited for while the lists are.
    contacts::lock_to_delete(tx, gone).await?;
    // So may the one that stays, which nobody has to lock for that.
    for side in [from, into] {
        let now: BTreeSet<ListId> =
            members::list_of(tx, side.contact.contact_id).await?.into_iter().collect();
        if now != side.lists {
            return Err(Error::LostRace);
        }
    }
    let theirs: Vec<ListId> = from.lists.iter().copied().collect();
    let left = members::leave(tx, gone, &theirs).await?;
    let joined = members::join(tx, stays, &theirs).await?;
    count(tx, &left, &joined).await
}

/// Counts lists that one contact left and the other joined: what happened, whatever was expected.
pub(super) async fn count(tx: &mut Tx, left: &[ListId], joined: &[ListId]) -> Result<(), Error> {
    let only = |some: &[ListId], others: &[ListId]| -> Vec<ListId> {
        some.iter().filter(|list| !others.contains(list)).copied().collect()
    };
    lists::count_each(tx, &only(left, joined), -1).await?;
    Ok(lists::count_each(tx, &only(joined, left), 1).await?)
}
