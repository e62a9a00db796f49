//! Walks through the table `contacts`: page after page of a list, or all of it.

use db::{DbError, Tx};
use kernel::ContactId;

use super::contacts::{ContactRow, columns, inserted};
use crate::domain::{ListId, Tag};

/// Which contacts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Among<'a> {
    /// Only those which carry it.
    pub tag: Option<&'a Tag>,
    /// Only those on it.
    pub list: Option<ListId>,
}

/// From where on, and which way.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// Those made before this one, newest first.
    Back(ContactId),
    /// Those made after this one, oldest first.
    On(ContactId),
}

/// Contacts in their order, at most `limit`.
///
/// # Errors
/// As for every statement.
pub async fn list(tx: &mut Tx, among: Among<'_>, way: Way, limit: i64) -> Result<Vec<ContactRow>, DbError> {
    let (from, behind, order) = match way {
        Way::Back(from) => (from, "contact_id < $2", "contact_id DESC"),
        Way::On(from) => (from, "contact_id > $2", "contact_id"),
    };
    let found = match (among.list, among.tag) {
        (None, None) => None,
        (Some(_), None) => Some("list_members WHERE org_id = $1 AND list_id = $4"),
        (None, Some(_)) => Some("contact_tags WHERE org_id = $1 AND tag = $4"),
        (Some(_), Some(_)) => Some(
            "list_members m WHERE org_id = $1 AND list_id = $4 AND EXISTS (SELECT 1 FROM contact_tags t
                WHERE t.org_id = $1 AND t.contact_id = m.contact_id AND t.tag = $5)",
        ),
    };
    let page = format!("{behind} ORDER BY {order} LIMIT $3");
    let mut sql = concat!("SELECT ", columns!(), " FROM contacts WHERE org_id = $1 AND ").to_owned();
    sql += &match found {
        None => page,
        // An index has them in this order: the others are not even looked at.
        Some(found) => format!("contact_id IN (SELECT contact_id FROM {found} AND {page}) ORDER BY {order}"),
    };
    let mut query = tx.query_dynamic(sql).bind(from).bind(limit);
    if let Some(list) = among.list {
        query = query.bind(list);
    }
    if let Some(tag) = among.tag {
        query = query.bind(tag);
    }
    query.fetch_all(tx).await
}
