//! The table `list_members`.

use db::{DbError, Tx, org_rows, rows};
use kernel::ContactId;

use crate::domain::ListId;

/// Puts contacts on the list; who is there stays. Tells how many came.
///
/// # Errors
/// [`DbError::ForeignKey`] when the list or a contact is not there.
pub async fn insert(tx: &mut Tx, list: ListId, contacts: &[ContactId]) -> Result<i64, DbError> {
    if contacts.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "INSERT INTO list_members (org_id, list_id, contact_id) VALUES {} ON CONFLICT DO NOTHING",
        org_rows(contacts.len(), 2)
    );
    let mut query = tx.query_dynamic(sql);
    for contact in contacts {
        query = query.bind(list).bind(*contact);
    }
    let came = query.execute(tx).await?;
    Ok(i64::try_from(came).unwrap_or(i64::MAX))
}

/// Takes contacts off the list; tells how many went.
///
/// # Errors
/// As for every statement.
pub async fn remove(tx: &mut Tx, list: ListId, contacts: &[ContactId]) -> Result<i64, DbError> {
    if contacts.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "DELETE FROM list_members WHERE org_id = $1 AND list_id = $2 AND contact_id IN (VALUES {})",
        rows(3, contacts.len(), 1)
    );
    let went = tx.query_dynamic(sql).bind(list).bind_all(contacts.iter().copied()).execute(tx).await?;
    Ok(i64::try_from(went).unwrap_or(i64::MAX))
}

/// The lists that the contact is on.
///
/// # Errors
/// As for every statement.
pub async fn list_of(tx: &mut Tx, contact: ContactId) -> Result<Vec<ListId>, DbError> {
    const SQL: &str =
        "SELECT list_id FROM list_members WHERE org_id = $1 AND contact_id = $2 ORDER BY list_id";
    tx.query(SQL).bind(contact).fetch_values(tx).await
}

/// Puts the contact on these lists; tells on which it was not. For the holder of their locks, who counts.
///
/// # Errors
/// [`DbError::ForeignKey`] when the contact or a list is not there.
pub async fn join(tx: &mut Tx, contact: ContactId, lists: &[ListId]) -> Result<Vec<ListId>, DbError> {
    if lists.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "INSERT INTO list_members (org_id, contact_id, list_id) VALUES {} ON CONFLICT DO NOTHING RETURNING list_id",
        org_rows(lists.len(), 2)
    );
    let mut query = tx.query_dynamic(sql);
    for list in lists {
        query = query.bind(contact).bind(*list);
    }
    query.fetch_values(tx).await
}

/// Takes the contact off these lists; tells on which it was. For the holder of their locks, who counts.
///
/// # Errors
/// As for every statement.
pub async fn leave(tx: &mut Tx, contact: ContactId, lists: &[ListId]) -> Result<Vec<ListId>, DbError> {
    if lists.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "DELETE FROM list_members WHERE org_id = $1 AND contact_id = $2 AND list_id IN (VALUES {}) RETURNING list_id",
        rows(3, lists.len(), 1)
    );
    tx.query_dynamic(sql).bind(contact).bind_all(lists.iter().copied()).fetch_values(tx).await
}
