//! Profiles and addresses.

use db::{DbError, Engine, Tx, org_rows, rows};
use kernel::{ContactId, Timestamp};

use super::each;
use crate::domain::{AddressKey, Contact, Identity, Profile};
use crate::store::contacts::{self, ContactRow};

/// The contacts of these ids, in the order in which everybody locks several; until the transaction ends, nobody else changes them.
///
/// # Errors
/// As for every statement.
pub async fn lock_contacts(tx: &mut Tx, ids: &[ContactId]) -> Result<Vec<ContactRow>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    if tx.engine() == Engine::Postgres {
        let sql = format!(
            "SELECT contact_id FROM contacts WHERE org_id = $1 AND contact_id IN (VALUES {}) \
             ORDER BY contact_id FOR NO KEY UPDATE",
            rows(2, ids.len(), 1)
        );
        tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_values::<ContactId>(tx).await?;
    }
    contacts::list_by_id(tx, ids).await
}

/// Who has these external ids.
///
/// # Errors
/// As for every statement.
pub async fn find_by_external_id(tx: &mut Tx, external_ids: &[&str]) -> Result<Vec<ContactId>, DbError> {
    if external_ids.is_empty() {
        return Ok(Vec::new());
    }
    // The index is of those that are set.
    let sql = format!(
        "SELECT contact_id FROM contacts WHERE org_id = $1 AND external_id <> '' AND external_id IN (VALUES {})",
        rows(2, external_ids.len(), 1)
    );
    tx.query_dynamic(sql).bind_all(external_ids.iter().copied()).fetch_values(tx).await
}

/// Stores new contacts with version 1.
///
/// # Errors
/// [`DbError::Unique`] when an id or external id is there.
pub async fn insert_contacts(tx: &mut Tx, new: &[&Contact]) -> Result<(), DbError> {
    let sql = |count| contacts::insert_sql(&org_rows(count, contacts::COLUMNS), "");
    each(tx, new, contacts::COLUMNS, sql, |query, contact| {
        contacts::bind_contact(query, contact.contact_id, &contact.profile, contact.create_time)
    })
    .await?;
    Ok(())
}

/// Replaces the profiles of contacts and counts their versions up. For the holder of their locks.
///
/// # Errors
/// [`DbError::Unique`] when another contact has an external id.
pub async fn update_contacts(
    tx: &mut Tx,
    changed: &[(ContactId, &Profile)],
    now: Timestamp,
) -> Result<(), DbError> {
    // They are all there: it is the one statement that changes many rows, each to its own values, on both databases.
    let changes = "ON CONFLICT (org_id, contact_id) DO UPDATE SET display_name = excluded.display_name, \
        given_name = excluded.given_name, family_name = excluded.family_name, emails = excluded.emails, \
        phones = excluded.phones, external_id = excluded.external_id, language = excluded.language, \
        time_zone = excluded.time_zone, default_channel = excluded.default_channel, \
        avatar_url = excluded.avatar_url, company = excluded.company, location = excluded.location, \
        update_time = excluded.update_time, version = contacts.version + 1";
    let sql = |count| contacts::insert_sql(&org_rows(count, contacts::COLUMNS), changes);
    each(tx, changed, contacts::COLUMNS, sql, |query, (id, profile)| {
        contacts::bind_contact(query, *id, profile, now)
    })
    .await?;
    Ok(())
}

/// Gives addresses which nobody owns to contacts; tells how many it gave. They are taken in the order of their keys, so that two
/// imports which want the same addresses do not wait for one another.
///
/// # Errors
/// As for every statement.
pub async fn insert_identities(
    tx: &mut Tx,
    come: &mut [(AddressKey, ContactId, Identity)],
) -> Result<u64, DbError> {
    come.sort_by(|one, other| one.0.cmp(&other.0));
    let sql = |count| {
        format!(
            "INSERT INTO identities (org_id, channel, address_key, address, contact_id, create_time) VALUES {} \
             ON CONFLICT (org_id, channel, address_key) DO NOTHING",
            org_rows(count, 5)
        )
    };
    each(tx, come, 5, sql, |query, (AddressKey { channel, address }, contact, identity)| {
        query.bind(channel).bind(address).bind(&identity.address).bind(*contact).bind(identity.create_time)
    })
    .await
}

/// Takes addresses from contacts.
///
/// # Errors
/// As for every statement.
pub async fn remove_identities(tx: &mut Tx, gone: &[(ContactId, AddressKey)]) -> Result<(), DbError> {
    let sql = |count| {
        format!(
            "DELETE FROM identities WHERE org_id = $1 AND (contact_id, channel, address_key) IN (VALUES {})",
            rows(2, count, 3)
        )
    };
    each(tx, gone, 3, sql, |query, (contact, AddressKey { channel, address })| {
        query.bind(*contact).bind(channel).bind(address)
    })
    .await?;
    Ok(())
}
