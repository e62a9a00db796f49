//! The table `contact_attributes`.

use db::{DbError, Json, Tx, org_rows, rows};
use kernel::ContactId;

use crate::domain::{Attribute, Key, Value};

#[derive(db::FromRow)]
struct AttributeRow {
    contact_id: ContactId,
    attribute_key: Key,
    value: Json<Value>,
}

/// Gives the contact these values, in place of those it has.
///
/// # Errors
/// [`DbError::ForeignKey`] when the contact or a definition is not there.
pub async fn set(tx: &mut Tx, contact: ContactId, attributes: &[Attribute]) -> Result<(), DbError> {
    if attributes.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO contact_attributes (org_id, contact_id, attribute_key, value) VALUES {} \
         ON CONFLICT (org_id, contact_id, attribute_key) DO UPDATE SET value = excluded.value",
        org_rows(attributes.len(), 3)
    );
    let mut query = tx.query_dynamic(sql);
    for Attribute { key, value } in attributes {
        query = query.bind(contact).bind(key).bind(Json(value));
    }
    query.execute(tx).await?;
    Ok(())
}

/// Takes values from the contact.
///
/// # Errors
/// As for every statement.
pub async fn clear(tx: &mut Tx, contact: ContactId, keys: &[Key]) -> Result<(), DbError> {
    if keys.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM contact_attributes WHERE org_id = $1 AND contact_id = $2 AND attribute_key IN (VALUES {})",
        rows(3, keys.len(), 1)
    );
    tx.query_dynamic(sql).bind(contact).bind_all(keys).execute(tx).await?;
    Ok(())
}

/// The attributes of these contacts, each contact's by key.
///
/// # Errors
/// As for every statement.
pub async fn list_of(tx: &mut Tx, contacts: &[ContactId]) -> Result<Vec<(ContactId, Attribute)>, DbError> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT contact_id, attribute_key, value FROM contact_attributes \
         WHERE org_id = $1 AND contact_id IN (VALUES {}) ORDER BY attribute_key",
        rows(2, contacts.len(), 1)
    );
    let found: Vec<AttributeRow> =
        tx.query_dynamic(sql).bind_all(contacts.iter().copied()).fetch_all(tx).await?;
    let attribute =
        |row: AttributeRow| (row.contact_id, Attribute { key: row.attribute_key, value: row.value.0 });
    Ok(found.into_iter().map(attribute).collect())
}

/// Contacts which have a value of the definition, at most `limit`.
///
/// # Errors
/// As for every statement.
pub async fn list_owners(tx: &mut Tx, key: &Key, limit: i64) -> Result<Vec<ContactId>, DbError> {
    const SQL: &str = "SELECT contact_id FROM contact_attributes WHERE org_id = $1 AND attribute_key = $2
        ORDER BY contact_id LIMIT $3";
    tx.query(SQL).bind(key).bind(limit).fetch_values(tx).await
}

/// Takes the values of one definition from these contacts.
///
/// # Errors
/// As for every statement.
pub async fn clear_of(tx: &mut Tx, key: &Key, contacts: &[ContactId]) -> Result<(), DbError> {
    if contacts.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM contact_attributes WHERE org_id = $1 AND attribute_key = $2 AND contact_id IN (VALUES {})",
        rows(3, contacts.len(), 1)
    );
    tx.query_dynamic(sql).bind(key).bind_all(contacts.iter().copied()).execute(tx).await?;
    Ok(())
}
