//! What is kept no longer.

use db::{DbError, Tx};
use kernel::{OrgId, Subject, Timestamp};
use uuid::Uuid;

use crate::domain::Sequence;

/// Moments before which entries are due.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    /// Entries read before go.
    pub read_before: Timestamp,
    /// Entries created before go, read or not.
    pub created_before: Timestamp,
}

/// At most `limit` feeds with entries that are due, of every organization that did not decide itself (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn due_feeds(tx: &mut Tx, due: Due, limit: i64) -> Result<Vec<(OrgId, Subject)>, DbError> {
    tx.query(
        "SELECT org_id, subject FROM feed_entries e WHERE create_time < $1
             AND NOT EXISTS (SELECT 1 FROM feed_settings s WHERE s.org_id = e.org_id)
         UNION SELECT org_id, subject FROM feed_entries e WHERE read_time < $2
             AND NOT EXISTS (SELECT 1 FROM feed_settings s WHERE s.org_id = e.org_id)
         LIMIT $3",
    )
    .bind(due.created_before)
    .bind(due.read_before)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Bits of a UUIDv7 behind its milliseconds.
const BEHIND_TIME: u32 = 80;

/// The least id of what was made at this time or later.
fn first_id_at(time: Timestamp) -> Uuid {
    let millis = u128::try_from(time.as_micros()).unwrap_or(0) / 1_000;
    Uuid::from_u128((millis & 0xffff_ffff_ffff) << BEHIND_TIME)
}

/// At most `limit` of the organization's feeds with entries that are due. Ids carry the time at which an entry was made, so that the
/// index of an organization's ids is in its order.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn due_feeds_here(tx: &mut Tx, due: Due, limit: i64) -> Result<Vec<Subject>, DbError> {
    tx.query(
        "SELECT subject FROM feed_entries WHERE org_id = $1 AND notification_id < $2 AND create_time < $3
         UNION SELECT subject FROM feed_entries WHERE org_id = $1 AND read_time < $4
         LIMIT $5",
    )
    .bind(first_id_at(due.created_before))
    .bind(due.created_before)
    .bind(due.read_before)
    .bind(limit)
    .fetch_values(tx)
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
