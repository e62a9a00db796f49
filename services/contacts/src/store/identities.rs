//! The table `identities`.

use db::{DbError, Tx, org_rows, rows};
use kernel::{ContactId, Timestamp};

use crate::domain::{Address, AddressKey, Channel, Identity};

/// An address and its owner.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct Owned {
    channel: Channel,
    address_key: String,
    /// The owner.
    pub contact_id: ContactId,
}

impl Owned {
    /// The address.
    pub fn key(&self) -> AddressKey {
        AddressKey { channel: self.channel.clone(), address: self.address_key.clone() }
    }
}

#[derive(db::FromRow)]
struct IdentityRow {
    contact_id: ContactId,
    channel: Channel,
    address: String,
    create_time: Timestamp,
}

/// Gives addresses that nobody owns to the contact, and leaves the others alone; tells how many it gave.
///
/// An address that another transaction is about to give away is waited for. They are taken in the order of their keys,
/// so that two contacts which want the same two addresses do not wait for one another.
///
/// # Errors
/// As for every statement.
pub async fn insert(
    tx: &mut Tx,
    contact: ContactId,
    addresses: &[Address],
    now: Timestamp,
) -> Result<usize, DbError> {
    let addresses: Vec<(Address, Timestamp)> =
        addresses.iter().map(|address| (address.clone(), now)).collect();
    restore(tx, contact, addresses).await
}

/// Like [`insert`], each since its own time.
///
/// # Errors
/// As for every statement.
pub async fn restore(
    tx: &mut Tx,
    contact: ContactId,
    mut addresses: Vec<(Address, Timestamp)>,
) -> Result<usize, DbError> {
    if addresses.is_empty() {
        return Ok(0);
    }
    addresses.sort_by(|(one, _), (other, _)| one.key().cmp(other.key()));
    let sql = format!(
        "INSERT INTO identities (org_id, channel, address_key, address, contact_id, create_time) VALUES {} \
         ON CONFLICT (org_id, channel, address_key) DO NOTHING",
        org_rows(addresses.len(), 5)
    );
    let mut query = tx.query_dynamic(sql);
    for (address, since) in &addresses {
        let AddressKey { channel, address: key } = address.key();
        query = query.bind(channel).bind(key).bind(address.written()).bind(contact).bind(*since);
    }
    let given = query.execute(tx).await?;
    Ok(usize::try_from(given).unwrap_or(usize::MAX))
}

/// Gives all addresses of one contact to another.
///
/// # Errors
/// As for every statement.
pub async fn give_all(tx: &mut Tx, from: ContactId, to: ContactId) -> Result<(), DbError> {
    const SQL: &str = "UPDATE identities SET contact_id = $3 WHERE org_id = $1 AND contact_id = $2";
    tx.query(SQL).bind(from).bind(to).execute(tx).await?;
    Ok(())
}

/// Gives those of these addresses which one contact has to another.
///
/// # Errors
/// As for every statement.
pub async fn give(tx: &mut Tx, from: ContactId, to: ContactId, keys: &[AddressKey]) -> Result<(), DbError> {
    if keys.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE identities SET contact_id = $3 \
         WHERE org_id = $1 AND contact_id = $2 AND (channel, address_key) IN (VALUES {})",
        rows(4, keys.len(), 2)
    );
    let mut query = tx.query_dynamic(sql).bind(from).bind(to);
    for AddressKey { channel, address } in keys {
        query = query.bind(channel).bind(address);
    }
    query.execute(tx).await?;
    Ok(())
}

/// Takes these addresses from the contact, if they are the contact's.
///
/// # Errors
/// As for every statement.
pub async fn remove(tx: &mut Tx, contact: ContactId, keys: &[AddressKey]) -> Result<(), DbError> {
    if keys.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM identities WHERE org_id = $1 AND contact_id = $2 AND (channel, address_key) IN (VALUES {})",
        rows(3, keys.len(), 2)
    );
    let mut query = tx.query_dynamic(sql).bind(contact);
    for AddressKey { channel, address } in keys {
        query = query.bind(channel).bind(address);
    }
    query.execute(tx).await?;
    Ok(())
}

/// Who owns these addresses; nothing for those that nobody owns.
///
/// # Errors
/// As for every statement.
pub async fn find_owners(tx: &mut Tx, keys: &[AddressKey]) -> Result<Vec<Owned>, DbError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT channel, address_key, contact_id FROM identities \
         WHERE org_id = $1 AND (channel, address_key) IN (VALUES {})",
        rows(2, keys.len(), 2)
    );
    let mut query = tx.query_dynamic(sql);
    for AddressKey { channel, address } in keys {
        query = query.bind(channel).bind(address);
    }
    query.fetch_all(tx).await
}

/// The identities of these contacts, by channel and address.
///
/// # Errors
/// As for every statement.
pub async fn list_of(tx: &mut Tx, contacts: &[ContactId]) -> Result<Vec<(ContactId, Identity)>, DbError> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT contact_id, channel, address, create_time FROM identities \
         WHERE org_id = $1 AND contact_id IN (VALUES {}) ORDER BY channel, address_key",
        rows(2, contacts.len(), 1)
    );
    let found: Vec<IdentityRow> =
        tx.query_dynamic(sql).bind_all(contacts.iter().copied()).fetch_all(tx).await?;
    let identity = |row: IdentityRow| {
        (
            row.contact_id,
            Identity { channel: row.channel, address: row.address, create_time: row.create_time },
        )
    };
    Ok(found.into_iter().map(identity).collect())
}
