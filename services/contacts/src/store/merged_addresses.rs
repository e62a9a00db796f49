//! The table `merged_addresses`: which addresses return with which merge, of merges that stand.

use std::collections::BTreeMap;

use db::{DbError, Tx, org_rows, rows};
use kernel::{ContactId, MergeId};

use super::identities::Owned;
use crate::domain::AddressKey;

/// Rows per statement: SQLite's time for one grows with the square of its values.
const ROWS: usize = 500;

/// Remembers the addresses that return with a merge.
///
/// # Errors
/// As for every statement.
pub async fn insert(tx: &mut Tx, merge: MergeId, keys: &[AddressKey]) -> Result<(), DbError> {
    for some in keys.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO merged_addresses (org_id, channel, address_key, merge_id) VALUES {} ON CONFLICT DO NOTHING",
            org_rows(some.len(), 3)
        );
        let mut query = tx.query_dynamic(sql);
        for AddressKey { channel, address } in some {
            query = query.bind(channel).bind(address).bind(merge);
        }
        query.execute(tx).await?;
    }
    Ok(())
}

/// Forgets the addresses of a merge, which have returned.
///
/// # Errors
/// As for every statement.
pub async fn forget(tx: &mut Tx, merge: MergeId) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM merged_addresses WHERE org_id = $1 AND merge_id = $2";
    tx.query(SQL).bind(merge).execute(tx).await.map(drop)
}

#[derive(db::FromRow)]
struct OwnedRow {
    #[sqlx(flatten)]
    owned: Owned,
    from_contact_id: Option<ContactId>,
    into_contact_id: Option<ContactId>,
}

/// An owner of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The contact.
    pub contact_id: ContactId,
    /// The merges that stand and with which the address returns: from whom and into whom, of those into one contact the latest first.
    pub merges: Vec<(ContactId, ContactId)>,
}

/// Who owns these addresses, those that are known. In one statement, since a merge may come or go between two.
///
/// # Errors
/// As for every statement.
pub async fn find_owners(tx: &mut Tx, keys: &[AddressKey]) -> Result<BTreeMap<AddressKey, Owner>, DbError> {
    let mut owners = BTreeMap::<AddressKey, Owner>::new();
    if keys.is_empty() {
        return Ok(owners);
    }
    let sql = format!(
        "SELECT i.channel, i.address_key, i.contact_id, m.from_contact_id, m.into_contact_id FROM identities i
         LEFT JOIN merged_addresses a
             ON a.org_id = i.org_id AND a.channel = i.channel AND a.address_key = i.address_key
         LEFT JOIN contact_merges m ON m.org_id = a.org_id AND m.merge_id = a.merge_id AND m.unmerge_time IS NULL
         WHERE i.org_id = $1 AND (i.channel, i.address_key) IN (VALUES {}) ORDER BY m.into_version DESC",
        rows(2, keys.len(), 2)
    );
    let mut query = tx.query_dynamic(sql);
    for AddressKey { channel, address } in keys {
        query = query.bind(channel).bind(address);
    }
    let found: Vec<OwnedRow> = query.fetch_all(tx).await?;
    for OwnedRow { owned, from_contact_id, into_contact_id } in found {
        let contact_id = owned.contact_id;
        let owner = owners.entry(owned.key()).or_insert_with(|| Owner { contact_id, merges: Vec::new() });
        owner.merges.extend(from_contact_id.zip(into_contact_id));
    }
    Ok(owners)
}
