//! The table `contact_tags`.

use db::{DbError, Tx, org_rows, rows};
use kernel::ContactId;

use crate::domain::Tag;

/// A tag and how many contacts carry it.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct TagUse {
    /// The tag.
    pub tag: Tag,
    /// Contacts which carry it; at least one.
    pub contact_count: i64,
}

/// Adds tags that the contact does not carry.
///
/// # Errors
/// As for every statement.
pub async fn insert(tx: &mut Tx, contact: ContactId, tags: &[Tag]) -> Result<(), DbError> {
    if tags.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO contact_tags (org_id, contact_id, tag) VALUES {} ON CONFLICT DO NOTHING",
        org_rows(tags.len(), 2)
    );
    let mut query = tx.query_dynamic(sql);
    for tag in tags {
        query = query.bind(contact).bind(tag);
    }
    query.execute(tx).await?;
    Ok(())
}

/// Removes tags from the contact.
///
/// # Errors
/// As for every statement.
pub async fn remove(tx: &mut Tx, contact: ContactId, tags: &[Tag]) -> Result<(), DbError> {
    if tags.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM contact_tags WHERE org_id = $1 AND contact_id = $2 AND tag IN (VALUES {})",
        rows(3, tags.len(), 1)
    );
    tx.query_dynamic(sql).bind(contact).bind_all(tags).execute(tx).await?;
    Ok(())
}

/// The tags of these contacts, each contact's sorted.
///
/// # Errors
/// As for every statement.
pub async fn list_of(tx: &mut Tx, contacts: &[ContactId]) -> Result<Vec<(ContactId, Tag)>, DbError> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT contact_id, tag FROM contact_tags WHERE org_id = $1 AND contact_id IN (VALUES {}) ORDER BY tag",
        rows(2, contacts.len(), 1)
    );
    tx.query_dynamic(sql).bind_all(contacts.iter().copied()).fetch_all(tx).await
}

/// Tags in use after `after`, by name, at most `limit`. Nothing sorts before the empty text.
///
/// # Errors
/// As for every statement.
pub async fn list_uses(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<TagUse>, DbError> {
    const SQL: &str = "SELECT tag, COUNT(*) AS contact_count FROM contact_tags
        WHERE org_id = $1 AND tag > $2 GROUP BY tag ORDER BY tag LIMIT $3";
    tx.query(SQL).bind(after).bind(limit).fetch_all(tx).await
}
