//! Every attempt to carry a delivery.

use db::{DbError, Tx};
use kernel::{OrgId, Timestamp};

use super::delivery_claims::Claimed;
use crate::domain::attempt::{Attempt, Ending};
use crate::domain::delivery::{DeliveryId, Why};

/// Attempts that are shown of one delivery.
const SHOWN: i64 = 100;

/// Notes that attempts begin (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn begin(tx: &mut Tx, claimed: &[Claimed], now: Timestamp) -> Result<(), DbError> {
    for rows in claimed.chunks(db::ROWS) {
        let sql = format!(
            "INSERT INTO delivery_attempts (org_id, delivery_id, attempt, outcome, start_time) VALUES {}",
            db::rows(1, rows.len(), 5)
        );
        let query = rows.iter().fold(tx.query_dynamic(sql), |query, Claimed { job, .. }| {
            query
                .bind(job.org.clone())
                .bind(job.delivery_id)
                .bind(job.attempt)
                .bind(Ending::Started.as_str())
                .bind(now)
        });
        query.execute(tx).await?;
    }
    Ok(())
}

/// Notes how an attempt ended (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn end(
    tx: &mut Tx,
    org: &OrgId,
    id: DeliveryId,
    attempt: i64,
    ending: Ending,
    why: Option<&Why>,
    now: Timestamp,
) -> Result<u64, DbError> {
    tx.query(
        "UPDATE delivery_attempts SET outcome = $4, code = $5, error = $6, end_time = $7
         WHERE org_id = $1 AND delivery_id = $2 AND attempt = $3",
    )
    .bind(org)
    .bind(id)
    .bind(attempt)
    .bind(ending.as_str())
    .bind(why.and_then(Why::code))
    .bind(why.map(|why| why.text().to_owned()))
    .bind(now)
    .execute(tx)
    .await
}

/// The attempts of a delivery, newest first; the newest hundred.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn list(tx: &mut Tx, id: DeliveryId) -> Result<Vec<Attempt>, DbError> {
    tx.query(
        "SELECT attempt, outcome, code, error, start_time, end_time FROM delivery_attempts
         WHERE org_id = $1 AND delivery_id = $2 ORDER BY attempt DESC LIMIT $3",
    )
    .bind(id)
    .bind(SHOWN)
    .fetch_all(tx)
    .await
}

#[derive(db::FromRow)]
struct AttemptRow {
    delivery_id: DeliveryId,
    #[sqlx(flatten)]
    attempt: Attempt,
}

/// The attempts of some deliveries, the first one of each first; five hundred at most.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn of_deliveries(tx: &mut Tx, ids: &[DeliveryId]) -> Result<Vec<(DeliveryId, Attempt)>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT delivery_id, attempt, outcome, code, error, start_time, end_time FROM delivery_attempts
         WHERE org_id = $1 AND delivery_id IN {} ORDER BY delivery_id, attempt LIMIT 500",
        db::rows(2, 1, ids.len())
    );
    let rows: Vec<AttemptRow> = tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.delivery_id, row.attempt)).collect())
}
