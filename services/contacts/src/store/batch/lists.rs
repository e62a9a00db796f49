//! Lists and who is on them.

use std::collections::BTreeMap;

use db::{DbError, Engine, Tx, org_rows, rows};
use kernel::ContactId;

use super::VALUES;
use crate::domain::{ListId, ListName};

/// The lists on which these contacts are, each contact's oldest list first.
///
/// # Errors
/// As for every statement.
pub async fn lists_of(
    tx: &mut Tx,
    contacts: &[ContactId],
) -> Result<Vec<(ContactId, ListId, ListName)>, DbError> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT m.contact_id, l.list_id, l.display_name FROM list_members m \
         JOIN lists l ON l.org_id = m.org_id AND l.list_id = m.list_id \
         WHERE m.org_id = $1 AND m.contact_id IN (VALUES {}) ORDER BY l.list_id",
        rows(2, contacts.len(), 1)
    );
    tx.query_dynamic(sql).bind_all(contacts.iter().copied()).fetch_all(tx).await
}

/// The lists with these names, by their compared form.
///
/// # Errors
/// As for every statement.
pub async fn find_lists(tx: &mut Tx, names: &[String]) -> Result<BTreeMap<String, ListId>, DbError> {
    let mut found = BTreeMap::new();
    for names in names.chunks(VALUES) {
        let sql = format!(
            "SELECT name_key, list_id FROM lists WHERE org_id = $1 AND name_key IN (VALUES {})",
            rows(2, names.len(), 1)
        );
        let lists: Vec<(String, ListId)> = tx.query_dynamic(sql).bind_all(names).fetch_all(tx).await?;
        found.extend(lists);
    }
    Ok(found)
}

/// Locks lists, in the order in which everybody locks several; those that are still there come back.
///
/// # Errors
/// As for every statement.
pub async fn lock_lists(tx: &mut Tx, lists: &[ListId]) -> Result<Vec<ListId>, DbError> {
    if lists.is_empty() {
        return Ok(Vec::new());
    }
    let lock = if tx.engine() == Engine::Postgres { "FOR UPDATE" } else { "" };
    let sql = format!(
        "SELECT list_id FROM lists WHERE org_id = $1 AND list_id IN (VALUES {}) ORDER BY list_id {lock}",
        rows(2, lists.len(), 1)
    );
    tx.query_dynamic(sql).bind_all(lists.iter().copied()).fetch_values(tx).await
}

/// Puts contacts on lists; who is there stays. The lists come back, each as often as somebody came.
///
/// # Errors
/// [`DbError::ForeignKey`] when a list is not there.
pub async fn insert_members(tx: &mut Tx, come: &[(ListId, ContactId)]) -> Result<Vec<ListId>, DbError> {
    let mut came = Vec::new();
    for some in come.chunks(VALUES / 2) {
        let sql = format!(
            "INSERT INTO list_members (org_id, list_id, contact_id) VALUES {} ON CONFLICT DO NOTHING \
             RETURNING list_id",
            org_rows(some.len(), 2)
        );
        let query = some
            .iter()
            .fold(tx.query_dynamic(sql), |query, (list, contact)| query.bind(*list).bind(*contact));
        came.extend(query.fetch_values::<ListId>(tx).await?);
    }
    Ok(came)
}

/// Takes contacts off lists. The lists come back, each as often as somebody went.
///
/// # Errors
/// As for every statement.
pub async fn remove_members(tx: &mut Tx, gone: &[(ListId, ContactId)]) -> Result<Vec<ListId>, DbError> {
    let mut went = Vec::new();
    for some in gone.chunks(VALUES / 2) {
        let sql = format!(
            "DELETE FROM list_members WHERE org_id = $1 AND (list_id, contact_id) IN (VALUES {}) RETURNING list_id",
            rows(2, some.len(), 2)
        );
        let query = some
            .iter()
            .fold(tx.query_dynamic(sql), |query, (list, contact)| query.bind(*list).bind(*contact));
        went.extend(query.fetch_values::<ListId>(tx).await?);
    }
    Ok(went)
}
