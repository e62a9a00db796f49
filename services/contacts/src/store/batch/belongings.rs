//! Tags and attributes.

use db::{DbError, Json, Tx, org_rows, rows};
use kernel::ContactId;

use super::each;
use crate::domain::{Attribute, Key, Tag};

/// Adds tags that the contacts do not carry.
///
/// # Errors
/// As for every statement.
pub async fn insert_tags(tx: &mut Tx, come: &[(ContactId, Tag)]) -> Result<(), DbError> {
    let sql = |count| {
        format!(
            "INSERT INTO contact_tags (org_id, contact_id, tag) VALUES {} ON CONFLICT DO NOTHING",
            org_rows(count, 2)
        )
    };
    each(tx, come, 2, sql, |query, (contact, tag)| query.bind(*contact).bind(tag)).await?;
    Ok(())
}

/// Removes tags from contacts.
///
/// # Errors
/// As for every statement.
pub async fn remove_tags(tx: &mut Tx, gone: &[(ContactId, Tag)]) -> Result<(), DbError> {
    let sql = |count| {
        format!(
            "DELETE FROM contact_tags WHERE org_id = $1 AND (contact_id, tag) IN (VALUES {})",
            rows(2, count, 2)
        )
    };
    each(tx, gone, 2, sql, |query, (contact, tag)| query.bind(*contact).bind(tag)).await?;
    Ok(())
}

/// Gives contacts values of attributes, in place of those they have.
///
/// # Errors
/// [`DbError::ForeignKey`] when a definition is not there.
pub async fn set_attributes(tx: &mut Tx, set: &[(ContactId, &Attribute)]) -> Result<(), DbError> {
    let sql = |count| {
        format!(
            "INSERT INTO contact_attributes (org_id, contact_id, attribute_key, value) VALUES {} \
             ON CONFLICT (org_id, contact_id, attribute_key) DO UPDATE SET value = excluded.value",
            org_rows(count, 3)
        )
    };
    each(tx, set, 3, sql, |query, (contact, attribute)| {
        query.bind(*contact).bind(&attribute.key).bind(Json(&attribute.value))
    })
    .await?;
    Ok(())
}

/// Takes values of attributes from contacts.
///
/// # Errors
/// As for every statement.
pub async fn clear_attributes(tx: &mut Tx, gone: &[(ContactId, Key)]) -> Result<(), DbError> {
    let sql = |count| {
        format!(
            "DELETE FROM contact_attributes WHERE org_id = $1 AND (contact_id, attribute_key) IN (VALUES {})",
            rows(2, count, 2)
        )
    };
    each(tx, gone, 2, sql, |query, (contact, key)| query.bind(*contact).bind(key)).await?;
    Ok(())
}
