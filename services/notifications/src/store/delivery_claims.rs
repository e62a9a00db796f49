//! Claims on deliveries: taken, ended, given up. The queue of each is locked before (see [`super::destinations`]).

use db::{DbError, Engine, Json, Tx};
use kernel::{OrgId, Subject, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use super::destinations::Queue;
use crate::domain::delivery::{Body, Channel, DeliveryId, DeliveryState, Job};

/// A claim: who, since when and how long.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// Marks what was claimed.
    pub fence: Uuid,
    /// What is due by now.
    pub now: Timestamp,
    /// When the claim ends.
    pub until: Timestamp,
}

/// A claimed delivery.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// What to carry.
    pub job: Job,
    /// In order with what; empty: with nothing.
    pub lane: String,
    /// Attempts since it was made or retried, this one included.
    pub tries: i64,
}

#[derive(db::FromRow)]
struct ClaimedRow {
    delivery_id: DeliveryId,
    lane: String,
    subject: String,
    body: Json<Value>,
    attempt: i64,
    tries: i64,
    sequence: i64,
}

impl ClaimedRow {
    fn claimed(self, org: &OrgId, queue: &Queue) -> Claimed {
        let job = Job {
            org: org.clone(),
            delivery_id: self.delivery_id,
            channel: queue.channel,
            subject: Subject::parse(&self.subject).ok(),
            destination: queue.destination.clone(),
            body: Body::stored(self.body.0),
            attempt: self.attempt,
        };
        Claimed { job, lane: self.lane, tries: self.tries }
    }
}

/// Claims at most `limit` deliveries of a queue that are due, the longest due first; one that is being rewritten is left for the next
/// claim (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn claim(
    tx: &mut Tx,
    org: &OrgId,
    queue: &Queue,
    claim: Claim,
    limit: i64,
) -> Result<Vec<Claimed>, DbError> {
    let lock = match tx.engine() {
        Engine::Postgres => " FOR UPDATE SKIP LOCKED",
        Engine::Sqlite => "",
    };
    let mut rows: Vec<ClaimedRow> = tx
        .query_dynamic(format!(
            "WITH due AS MATERIALIZED (
                 SELECT delivery_id FROM deliveries
                 WHERE org_id = $1 AND channel = $2 AND destination = $3 AND state = 'waiting' AND NOT behind
                     AND due_time <= $6
                 ORDER BY due_time, sequence LIMIT $7{lock})
             UPDATE deliveries SET fence = $4, due_time = $5, attempt = attempt + 1, tries = tries + 1
             WHERE org_id = $1 AND delivery_id IN (SELECT delivery_id FROM due)
             RETURNING delivery_id, lane, subject, body, attempt, tries, sequence"
        ))
        .bind(org)
        .bind(queue.channel.as_str())
        .bind(queue.destination.as_str())
        .bind(claim.fence)
        .bind(claim.until)
        .bind(claim.now)
        .bind(limit)
        .fetch_all(tx)
        .await?;
    rows.sort_unstable_by_key(|row| row.sequence);
    Ok(rows.into_iter().map(|row| row.claimed(org, queue)).collect())
}

/// How many deliveries of each queue of a channel are under way now (system scope). There are never many.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn under_way(
    tx: &mut Tx,
    channel: Channel,
    now: Timestamp,
) -> Result<Vec<(OrgId, String, i64)>, DbError> {
    tx.query(
        "SELECT org_id, destination, COUNT(*) FROM deliveries
         WHERE channel = $1 AND fence IS NOT NULL AND due_time > $2 GROUP BY org_id, destination",
    )
    .bind(channel.as_str())
    .bind(now)
    .fetch_all(tx)
    .await
}

/// Ends a claim: another attempt is due then, after so many tries. Tells whether the claim was still held (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn mark_again(
    tx: &mut Tx,
    org: &OrgId,
    id: DeliveryId,
    fence: Uuid,
    due_time: Timestamp,
    tries: i64,
    error: &str,
) -> Result<bool, DbError> {
    let marked = tx
        .query(
            "UPDATE deliveries SET fence = NULL, due_time = $4, tries = $5, last_error = $6
             WHERE org_id = $1 AND delivery_id = $2 AND fence = $3",
        )
        .bind(org)
        .bind(id)
        .bind(fence)
        .bind(due_time)
        .bind(tries)
        .bind(error.to_owned())
        .execute(tx)
        .await?;
    Ok(marked > 0)
}

/// Ends a claim and the delivery. Tells whether the claim was still held (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn mark_done(
    tx: &mut Tx,
    org: &OrgId,
    id: DeliveryId,
    fence: Uuid,
    state: DeliveryState,
    error: Option<&str>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let marked = tx
        .query(
            "UPDATE deliveries SET fence = NULL, state = $4, last_error = $5, done_time = $6
             WHERE org_id = $1 AND delivery_id = $2 AND fence = $3",
        )
        .bind(org)
        .bind(id)
        .bind(fence)
        .bind(state.as_str())
        .bind(error.map(str::to_owned))
        .bind(now)
        .execute(tx)
        .await?;
    Ok(marked > 0)
}

/// Lets the next of a lane come forward, unless there is one that has (in the organization's scope, or the system's).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn bring_forward(tx: &mut Tx, org: &OrgId, queue: &Queue, lane: &str) -> Result<u64, DbError> {
    const SQL: &str = "UPDATE deliveries SET behind = FALSE
         WHERE org_id = $1 AND channel = $2 AND destination = $3 AND lane = $4 AND state = 'waiting' AND lane <> ''
             AND sequence = (
                 SELECT MIN(sequence) FROM deliveries
                 WHERE org_id = $1 AND channel = $2 AND destination = $3 AND lane = $4 AND state = 'waiting'
                     AND lane <> '')
             AND NOT EXISTS (
                 SELECT 1 FROM deliveries ahead
                 WHERE ahead.org_id = $1 AND ahead.channel = $2 AND ahead.destination = $3 AND ahead.lane = $4
                     AND ahead.state = 'waiting' AND ahead.lane <> '' AND NOT ahead.behind)";
    let query = match tx.org() {
        Some(_) => tx.query(SQL),
        None => tx.query(SQL).bind(org),
    };
    query
        .bind(queue.channel.as_str())
        .bind(queue.destination.as_str())
        .bind(lane.to_owned())
        .execute(tx)
        .await
}

/// Ends every claim of a channel. Only where a database has one process: what is claimed when it starts belongs to nobody (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn release_all(tx: &mut Tx, channel: Channel, now: Timestamp) -> Result<u64, DbError> {
    tx.query("UPDATE deliveries SET fence = NULL, due_time = $2 WHERE channel = $1 AND fence IS NOT NULL")
        .bind(channel.as_str())
        .bind(now)
        .execute(tx)
        .await
}
