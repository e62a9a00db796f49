//! Walks through the table `contacts`, oldest first, for those who take all of it.

use db::{DbError, Tx};
use kernel::ContactId;

use super::contacts::{ContactRow, columns, inserted};
use crate::domain::{ListId, Tag};

/// Contacts made after `after`, oldest first, at most `limit`.
///
/// # Errors
/// As for every statement.
pub async fn list(tx: &mut Tx, after: ContactId, limit: i64) -> Result<Vec<ContactRow>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM contacts WHERE org_id = $1 AND contact_id > $2 ORDER BY contact_id LIMIT $3"
    );
    tx.query(SQL).bind(after).bind(limit).fetch_all(tx).await
}

/// Like [`list`], of the contacts which carry the tag.
///
/// # Errors
/// As for every statement.
pub async fn list_tagged(
    tx: &mut Tx,
    tag: &Tag,
    after: ContactId,
    limit: i64,
) -> Result<Vec<ContactRow>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM contacts WHERE org_id = $1 AND contact_id IN (
            SELECT contact_id FROM contact_tags WHERE org_id = $1 AND tag = $2 AND contact_id > $3
            ORDER BY contact_id LIMIT $4)
          ORDER BY contact_id"
    );
    tx.query(SQL).bind(tag).bind(after).bind(limit).fetch_all(tx).await
}

/// Like [`list`], of the contacts which are on the list.
///
/// # Errors
/// As for every statement.
pub async fn list_members(
    tx: &mut Tx,
    list: ListId,
    after: ContactId,
    limit: i64,
) -> Result<Vec<ContactRow>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM contacts WHERE org_id = $1 AND contact_id IN (
            SELECT contact_id FROM list_members WHERE org_id = $1 AND list_id = $2 AND contact_id > $3
            ORDER BY contact_id LIMIT $4)
          ORDER BY contact_id"
    );
    tx.query(SQL).bind(list).bind(after).bind(limit).fetch_all(tx).await
}

/// Like [`list_members`], of those who carry the tag.
///
/// # Errors
/// As for every statement.
pub async fn list_tagged_members(
    tx: &mut Tx,
    list: ListId,
    tag: &Tag,
    after: ContactId,
    limit: i64,
) -> Result<Vec<ContactRow>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM contacts WHERE org_id = $1 AND contact_id IN (
            SELECT m.contact_id FROM list_members m JOIN contact_tags t
                ON t.org_id = m.org_id AND t.contact_id = m.contact_id
            WHERE m.org_id = $1 AND m.list_id = $2 AND t.tag = $3 AND m.contact_id > $4
            ORDER BY m.contact_id LIMIT $5)
          ORDER BY contact_id"
    );
    tx.query(SQL).bind(list).bind(tag).bind(after).bind(limit).fetch_all(tx).await
}
