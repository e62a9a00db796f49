//! What is kept no longer.

use db::{DbError, Tx};
use kernel::{OrgId, Subject, Timestamp};

use crate::domain::Sequence;

/// Moments before which entries are due.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    /// Entries read before go.
    pub read_before: Timestamp,
    /// Entries created before go, read or not.
    pub created_before: Timestamp,
}

/// At most `limit` feeds, of every organization, with entries that are due (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn due_feeds(tx: &mut Tx, due: Due, limit: i64) -> Result<Vec<(OrgId, Subject)>, DbError> {
    tx.query(
        "SELECT org_id, subject FROM feed_entries WHERE create_time < $1
         UNION SELECT org_id, subject FROM feed_entries WHERE read_time < $2
         LIMIT $3",
    )
    .bind(due.created_before)
    .bind(due.read_before)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Removes at most `limit` of a person's due entries, oldest first; tells the places they had.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove_due(
    tx: &mut Tx,
    subject: &Subject,
    due: Due,
    limit: i64,
) -> Result<Vec<Sequence>, DbError> {
    tx.query(
        "WITH doomed AS MATERIALIZED (
             SELECT sequence FROM feed_entries
             WHERE org_id = $1 AND subject = $2 AND (create_time < $3 OR read_time < $4)
             ORDER BY sequence LIMIT $5)
         DELETE FROM feed_entries WHERE org_id = $1 AND subject = $2 AND sequence IN (
             SELECT sequence FROM doomed)
         RETURNING sequence",
    )
    .bind(subject)
    .bind(due.created_before)
    .bind(due.read_before)
    .bind(limit)
    .fetch_values(tx)
    .await
}
