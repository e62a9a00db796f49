//! One batch of contacts: what is known of them is read at once, the rows are applied to it one after the other, and what changed is
//! stored at once.

use std::collections::{BTreeMap, BTreeSet};

use db::Tx;
use kernel::ContactId;
use uuid::Uuid;

use super::changes;
use super::import::Imported;
use crate::Error;
use crate::app::deeds::Deeds;
use crate::app::whole;
use crate::domain::transfer::{ContactRow, Known, Manner, Row};
use crate::domain::{Actor, AddressKey, Key, ListId};
use crate::store::{batch, definitions, identities, lists, merges};

/// Addresses that one statement looks for.
const ADDRESSES: usize = 500;

/// Does what the rows say, which are rows of contacts.
pub(super) async fn import(
    tx: &mut Tx,
    rows: &[Row],
    manner: Manner,
    by: &Actor,
    deeds: &Deeds,
) -> Result<Imported, Error> {
    let rows: Vec<&ContactRow> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Contact(row) => Some(&**row),
            Row::List(_) | Row::Definition(_) => None,
        })
        .collect();
    let mut known = known(tx, &rows).await?;
    let (clock, now) = (tx.clock().clone(), tx.clock().now());
    let results = rows.iter().map(|row| known.apply(row, manner, now, || clock.new_id())).collect();
    changes::store(tx, &known, by, deeds, now).await?;
    let lists_created = i64::try_from(known.new_lists().len()).unwrap_or(i64::MAX);
    Ok(Imported { results, lists_created })
}

/// Everybody whom the rows may stand for, and what they name.
async fn known(tx: &mut Tx, rows: &[&ContactRow]) -> Result<Known, Error> {
    let named: BTreeSet<ContactId> = rows.iter().filter_map(|row| row.contact_id).collect();
    let named: Vec<ContactId> = named.into_iter().collect();
    let survivors = merges::list_survivors(tx, &named).await?;

    let mut ids: BTreeSet<ContactId> = named.iter().copied().collect();
    ids.extend(survivors.iter().map(|(_, survivor)| *survivor));
    let external_ids: BTreeSet<&str> = rows.iter().map(|row| row.profile.external_id.as_str()).collect();
    let external_ids: Vec<&str> = external_ids.into_iter().filter(|id| !id.is_empty()).collect();
    ids.extend(batch::find_by_external_id(tx, &external_ids).await?);
    let keys: BTreeSet<AddressKey> = rows.iter().flat_map(|row| row.keys()).map(|(_, key)| key).collect();
    let keys: Vec<AddressKey> = keys.into_iter().collect();
    for keys in keys.chunks(ADDRESSES) {
        ids.extend(identities::find_owners(tx, keys).await?.into_iter().map(|owned| owned.contact_id));
    }

    let ids: Vec<ContactId> = ids.into_iter().collect();
    let held = batch::lock_contacts(tx, &ids).await?;
    let contacts = whole::all(tx, held).await?;
    let there: BTreeSet<ContactId> = contacts.iter().map(|contact| contact.contact_id).collect();
    let new: Vec<Uuid> = named.iter().filter(|id| !there.contains(id)).map(|id| id.as_uuid()).collect();
    erasure::hold(tx, erasure::Kind::Contact, &new).await?;
    let erased = erasure::list_buried(tx, erasure::Kind::Contact, &new).await?;
    let mut known = catalog(tx, rows).await?;
    let mut on: BTreeMap<ContactId, BTreeSet<ListId>> = BTreeMap::new();
    if rows.iter().any(|row| row.lists.is_some()) {
        for (contact, list, _) in batch::lists_of(tx, &ids).await? {
            on.entry(contact).or_default().insert(list);
        }
    }
    for contact in contacts {
        let lists = on.remove(&contact.contact_id).unwrap_or_default();
        known.hold(contact, lists);
    }
    survivors.into_iter().for_each(|(merged, survivor)| known.survives(merged, survivor));
    erased.into_iter().for_each(|id| known.is_erased(ContactId::from_uuid(id)));
    Ok(known)
}

/// Nobody yet, with the attributes and lists that the rows name.
async fn catalog(tx: &mut Tx, rows: &[&ContactRow]) -> Result<Known, Error> {
    let keys: BTreeSet<&Key> =
        rows.iter().flat_map(|row| row.attributes.iter().map(|(key, _)| key)).collect();
    let keys: Vec<&Key> = keys.into_iter().collect();
    let definitions = definitions::hold(tx, &keys).await?;
    let names = rows.iter().flat_map(|row| row.lists.iter().flatten()).map(|name| name.key());
    let names: BTreeSet<String> = names.collect();
    if names.is_empty() {
        return Ok(Known::new(definitions, BTreeMap::new(), 0));
    }
    let names: Vec<String> = names.into_iter().collect();
    let named = batch::find_lists(tx, &names).await?;
    Ok(Known::new(definitions, named, lists::count_all(tx).await?))
}
