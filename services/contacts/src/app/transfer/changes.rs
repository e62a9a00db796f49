//! What a batch changed is stored: a few statements for all of it.

use std::collections::{BTreeMap, BTreeSet};

use audit::Event;
use db::{DbError, Tx};
use kernel::{ContactId, Timestamp};
use proto::notifications::v1::WebhookEventType;

use super::duplicates;
use crate::Error;
use crate::app::deeds::Deeds;
use crate::domain::transfer::{Held, Known};
use crate::domain::{
    Activity, ActivityId, Actor, Contact, ContactList, Entry, Happened, Line, ListId, ListName, Tag, entries,
};
use crate::store::{activity, batch, lists};

/// Stores contacts, memberships and new lists, and leaves records of them.
pub(super) async fn store(
    tx: &mut Tx,
    known: &Known,
    by: &Actor,
    deeds: &Deeds,
    now: Timestamp,
) -> Result<(), Error> {
    let held: Vec<&Held> = known.changed().collect();
    let new: Vec<&Contact> = held.iter().filter(|one| one.before.is_none()).map(|one| &one.now).collect();
    let changed: Vec<&Held> = held
        .iter()
        .filter(|one| one.before.as_ref().is_some_and(|before| *before != one.now))
        .copied()
        .collect();
    batch::insert_contacts(tx, &new).await?;
    let profiles: Vec<_> = changed.iter().map(|one| (one.now.contact_id, &one.now.profile)).collect();
    batch::update_contacts(tx, &profiles, now).await?;
    addresses(tx, &held).await?;
    tags(tx, &held).await?;
    attributes(tx, &held).await?;
    found_by(tx, &held).await?;
    duplicates::follow(tx, &held).await?;
    activity::record(tx, &happened(tx, &held, by, now)).await?;
    let new: Vec<ContactId> = new.iter().map(|contact| contact.contact_id).collect();
    let changed: Vec<ContactId> = changed.iter().map(|one| one.now.contact_id).collect();
    let mut events = Event::each("contact.create", &new);
    events.extend(Event::each("contact.update", &changed));
    events.extend(memberships(tx, known, &held, now).await?);
    audit::record(tx, &deeds.origin, &events).await?;
    deeds.announce(tx, WebhookEventType::ContactCreated, &new, now).await?;
    Ok(deeds.announce(tx, WebhookEventType::ContactUpdated, &changed, now).await?)
}

async fn addresses(tx: &mut Tx, held: &[&Held]) -> Result<(), Error> {
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for one in held {
        let (left, came) = one.identities();
        let id = one.now.contact_id;
        gone.extend(left.into_iter().map(|key| (id, key)));
        come.extend(came.into_iter().map(|(key, identity)| (key, id, identity)));
    }
    batch::remove_identities(tx, &gone).await?;
    let given = batch::insert_identities(tx, &mut come).await?;
    if usize::try_from(given).is_ok_and(|given| given == come.len()) { Ok(()) } else { Err(Error::LostRace) }
}

async fn tags(tx: &mut Tx, held: &[&Held]) -> Result<(), DbError> {
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for one in held {
        let (added, removed) = tag_steps(one);
        come.extend(added.into_iter().map(|tag| (one.now.contact_id, tag)));
        gone.extend(removed.into_iter().map(|tag| (one.now.contact_id, tag)));
    }
    batch::remove_tags(tx, &gone).await?;
    batch::insert_tags(tx, &come).await
}

/// Tags that come and tags that go.
fn tag_steps(held: &Held) -> (Vec<Tag>, Vec<Tag>) {
    let before = held.before.as_ref().map(|before| before.tags.as_slice()).unwrap_or_default();
    let not_in = |these: &[Tag], those: &[Tag]| -> Vec<Tag> {
        these.iter().filter(|tag| !those.contains(tag)).cloned().collect()
    };
    (not_in(&held.now.tags, before), not_in(before, &held.now.tags))
}

async fn attributes(tx: &mut Tx, held: &[&Held]) -> Result<(), DbError> {
    let (mut gone, mut set) = (Vec::new(), Vec::new());
    for one in held {
        let id = one.now.contact_id;
        let before = one.before.as_ref().map(|before| before.attributes.as_slice()).unwrap_or_default();
        set.extend(one.now.attributes.iter().filter(|now| !before.contains(now)).map(|now| (id, now)));
        let has = |key| one.now.attributes.iter().any(|now| now.key == key);
        let left = before.iter().filter(|attribute| !has(attribute.key.clone()));
        gone.extend(left.map(|attribute| (id, attribute.key.clone())));
    }
    batch::clear_attributes(tx, &gone).await?;
    batch::set_attributes(tx, &set).await
}

/// What the contacts are found by follows what they are. What they were found by is what they were, so it need not be read.
async fn found_by(tx: &mut Tx, held: &[&Held]) -> Result<(), DbError> {
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for one in held {
        let before: BTreeSet<Entry> = one.before.as_ref().map(entries).unwrap_or_default();
        let now = entries(&one.now);
        let id = one.now.contact_id;
        gone.extend(before.difference(&now).map(|entry| (id, entry.clone())));
        come.extend(now.difference(&before).map(|entry| (id, entry.clone())));
    }
    batch::remove_entries(tx, &gone).await?;
    batch::insert_entries(tx, &come).await
}

fn happened(tx: &Tx, held: &[&Held], by: &Actor, now: Timestamp) -> Vec<Activity> {
    let activity = |contact_id: ContactId, happened: Happened| Activity {
        activity_id: ActivityId::from(tx.clock().new_id()),
        contact_id,
        occur_time: now,
        actor: Some(by.clone()),
        happened,
    };
    let mut all = Vec::new();
    for one in held {
        let id = one.now.contact_id;
        if one.before.is_none() {
            all.push(activity(id, Happened::Created));
            continue;
        }
        let (added, removed) = tag_steps(one);
        all.extend((!added.is_empty()).then(|| activity(id, Happened::Tagged(added))));
        all.extend((!removed.is_empty()).then(|| activity(id, Happened::Untagged(removed))));
    }
    all
}

/// Makes the lists that are not there, and puts contacts on lists and takes them off.
async fn memberships(
    tx: &mut Tx,
    known: &Known,
    held: &[&Held],
    now: Timestamp,
) -> Result<Vec<Event>, Error> {
    for (id, name) in known.new_lists() {
        lists::insert(tx, &new_list(*id, name, now)).await?;
    }
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for one in held {
        let id = one.now.contact_id;
        come.extend(one.lists.difference(&one.lists_before).map(|list| (*list, id)));
        gone.extend(one.lists_before.difference(&one.lists).map(|list| (*list, id)));
    }
    let touched: BTreeSet<ListId> = come.iter().chain(&gone).map(|(list, _)| *list).collect();
    let touched: Vec<ListId> = touched.into_iter().collect();
    if batch::lock_lists(tx, &touched).await?.len() < touched.len() {
        // One of them was deleted since it was looked for.
        return Err(Error::LostRace);
    }
    // Everybody takes the locks in this order: list by list, contact by contact.
    come.sort_unstable();
    let came = counted(batch::insert_members(tx, &come).await?);
    let went = counted(batch::remove_members(tx, &gone).await?);
    for list in &touched {
        let more = came.get(list).unwrap_or(&0) - went.get(list).unwrap_or(&0);
        if more != 0 {
            lists::count(tx, *list, more).await?;
        }
    }
    let mut events = Event::each("list.create", known.new_lists().iter().map(|(id, _)| *id));
    events.extend(Event::each("list.add_members", came.into_keys()));
    events.extend(Event::each("list.remove_members", went.into_keys()));
    Ok(events)
}

fn new_list(list_id: ListId, name: &ListName, now: Timestamp) -> ContactList {
    ContactList {
        list_id,
        version: 1,
        display_name: name.clone(),
        description: Line::default(),
        member_count: 0,
        create_time: now,
        update_time: now,
    }
}

/// How often each is there.
fn counted(lists: Vec<ListId>) -> BTreeMap<ListId, i64> {
    let mut counts = BTreeMap::new();
    for list in lists {
        *counts.entry(list).or_default() += 1;
    }
    counts
}
