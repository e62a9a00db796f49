//! Which deliveries are kept no longer. Everything here runs in system scope.

use db::{DbError, Tx};
use kernel::{OrgId, Timestamp};

use crate::domain::delivery::{Channel, DeliveryId};

/// Removes at most `limit` deliveries that were done before a moment; tells which.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove_done(
    tx: &mut Tx,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<(OrgId, DeliveryId)>, DbError> {
    tx.query(
        "WITH doomed AS MATERIALIZED (
             SELECT org_id, delivery_id FROM deliveries
             WHERE done_time IS NOT NULL AND done_time < $1 ORDER BY done_time LIMIT $2)
         DELETE FROM deliveries
         WHERE state <> 'waiting' AND (org_id, delivery_id) IN (SELECT org_id, delivery_id FROM doomed)
         RETURNING org_id, delivery_id",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Removes the attempts of an organization's deliveries.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove_attempts(tx: &mut Tx, org: &OrgId, of: &[DeliveryId]) -> Result<u64, DbError> {
    let mut gone = 0;
    for rows in of.chunks(db::ROWS) {
        let sql = format!(
            "DELETE FROM delivery_attempts WHERE org_id = $1 AND delivery_id IN (VALUES {})",
            db::rows(2, rows.len(), 1)
        );
        gone += tx.query_dynamic(sql).bind(org).bind_all(rows.iter().copied()).execute(tx).await?;
    }
    Ok(gone)
}

/// A delivery that has been due for long.
#[derive(Debug, Clone, db::FromRow)]
pub struct Overdue {
    /// Whose.
    pub org_id: OrgId,
    /// Which.
    pub delivery_id: DeliveryId,
    /// By which way.
    pub channel: Channel,
    /// To which device or endpoint; empty for email.
    pub destination: String,
    /// In order with what; empty: with nothing.
    pub lane: String,
}

/// At most `limit` deliveries that have been due since before a moment without being claimed.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn list_overdue(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<Overdue>, DbError> {
    tx.query(
        "SELECT org_id, delivery_id, channel, destination, lane FROM deliveries
         WHERE state = 'waiting' AND NOT behind AND due_time < $1 AND fence IS NULL ORDER BY due_time LIMIT $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Gives up one of them, unless it was claimed or retried meanwhile; tells whether. Its queue is locked.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn give_up(
    tx: &mut Tx,
    it: &Overdue,
    before: Timestamp,
    now: Timestamp,
    error: &'static str,
) -> Result<bool, DbError> {
    let given_up = tx
        .query(
            "UPDATE deliveries SET state = 'failed', done_time = $4, last_error = $5
             WHERE org_id = $1 AND delivery_id = $2 AND state = 'waiting' AND NOT behind AND due_time < $3
                 AND fence IS NULL",
        )
        .bind(it.org_id.clone())
        .bind(it.delivery_id)
        .bind(before)
        .bind(now)
        .bind(error)
        .execute(tx)
        .await?;
    Ok(given_up > 0)
}
