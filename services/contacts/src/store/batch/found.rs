//! What contacts are found by, and what they may share.

use db::{DbError, Query, Tx, org_rows, rows};
use kernel::ContactId;

use super::{VALUES, each};
use crate::domain::{DuplicateKey, DuplicateReason, Entry};

/// Adds what contacts are found by; what is there stays.
///
/// # Errors
/// As for every statement.
pub async fn insert_entries(tx: &mut Tx, come: &[(ContactId, Entry)]) -> Result<(), DbError> {
    let sql = |count| {
        format!(
            "INSERT INTO search_entries (org_id, contact_id, word, field, attribute_key, tier) VALUES {} \
             ON CONFLICT DO NOTHING",
            org_rows(count, 5)
        )
    };
    each(tx, come, 5, sql, bind_entry).await?;
    Ok(())
}

/// Removes what contacts were found by.
///
/// # Errors
/// As for every statement.
pub async fn remove_entries(tx: &mut Tx, gone: &[(ContactId, Entry)]) -> Result<(), DbError> {
    let sql = |count| {
        format!(
            "DELETE FROM search_entries WHERE org_id = $1 \
             AND (contact_id, word, field, attribute_key, tier) IN (VALUES {})",
            rows(2, count, 5)
        )
    };
    each(tx, gone, 5, sql, bind_entry).await?;
    Ok(())
}

fn bind_entry(query: Query, (contact, entry): &(ContactId, Entry)) -> Query {
    let query = query.bind(*contact).bind(&entry.word).bind(entry.field.code());
    query.bind(&entry.attribute_key).bind(entry.tier.code())
}

/// Which of these keys contacts have.
///
/// # Errors
/// As for every statement.
pub async fn list_shared_keys(tx: &mut Tx, keys: &[DuplicateKey]) -> Result<Vec<DuplicateKey>, DbError> {
    #[derive(db::FromRow)]
    struct KeyRow {
        reason: DuplicateReason,
        duplicate_key: String,
    }
    let mut shared = Vec::new();
    for some in keys.chunks(VALUES / 2) {
        let sql = format!(
            "SELECT v.column1 AS reason, v.column2 AS duplicate_key FROM (VALUES {}) AS v WHERE EXISTS (\
                SELECT 1 FROM duplicate_keys k WHERE k.org_id = $1 AND k.reason = v.column1 \
                AND k.duplicate_key = v.column2)",
            rows(2, some.len(), 2)
        );
        let query = some
            .iter()
            .fold(tx.query_dynamic(sql), |query, key| query.bind(key.reason.code()).bind(key.key.as_str()));
        let found: Vec<KeyRow> = query.fetch_all(tx).await?;
        shared
            .extend(found.into_iter().map(|row| DuplicateKey { reason: row.reason, key: row.duplicate_key }));
    }
    Ok(shared)
}

/// Gives keys to contacts; what is there stays.
///
/// # Errors
/// As for every statement.
pub async fn insert_duplicate_keys(tx: &mut Tx, come: &[(ContactId, DuplicateKey)]) -> Result<(), DbError> {
    let sql = |count| {
        format!(
            "INSERT INTO duplicate_keys (org_id, contact_id, reason, duplicate_key) VALUES {} ON CONFLICT DO NOTHING",
            org_rows(count, 3)
        )
    };
    each(tx, come, 3, sql, bind_key).await?;
    Ok(())
}

/// Takes keys from contacts.
///
/// # Errors
/// As for every statement.
pub async fn remove_duplicate_keys(tx: &mut Tx, gone: &[(ContactId, DuplicateKey)]) -> Result<(), DbError> {
    let sql = |count| {
        format!(
            "DELETE FROM duplicate_keys WHERE org_id = $1 AND (contact_id, reason, duplicate_key) IN (VALUES {})",
            rows(2, count, 3)
        )
    };
    each(tx, gone, 3, sql, bind_key).await?;
    Ok(())
}

/// Removes pairs which contacts make by keys.
///
/// # Errors
/// As for every statement.
pub async fn remove_duplicate_pairs(tx: &mut Tx, gone: &[(ContactId, DuplicateKey)]) -> Result<(), DbError> {
    for contact in ["contact_id", "other_contact_id"] {
        let sql = |count| {
            format!(
                "DELETE FROM duplicate_pairs WHERE org_id = $1 \
                 AND ({contact}, reason, duplicate_key) IN (VALUES {})",
                rows(2, count, 3)
            )
        };
        each(tx, gone, 3, sql, bind_key).await?;
    }
    Ok(())
}

fn bind_key(query: Query, (contact, key): &(ContactId, DuplicateKey)) -> Query {
    query.bind(*contact).bind(key.reason.code()).bind(key.key.as_str())
}
