//! The queues of deliveries: one per device or endpoint, and one per organization for email. Whoever changes what waits in a queue
//! locks its row first; claims pass over queues that are locked.
//!
//! What tenants do has the organization bound already; what the workers do runs in system scope and binds it.

use std::collections::{BTreeMap, BTreeSet};

use db::{DbError, Engine, Tx};
use kernel::{OrgId, Timestamp};

use crate::domain::backoff::Standing;
use crate::domain::delivery::Channel;

/// Which queue of an organization: in this order they are locked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, db::FromRow)]
pub struct Queue {
    /// By which way.
    pub channel: Channel,
    /// To which device or endpoint; empty for email.
    pub destination: String,
}

/// What a queue gets: so many more, the first of them due at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// How many.
    pub by: i64,
    /// When the first of them is due.
    pub due_time: Timestamp,
}

/// Lets queues grow, and tells the last place of each. They stay locked until the commit. By zero where something that had its place
/// before is due again.
///
/// A new queue begins with the time as its first place: one that is forgotten when it is idle, and begins anew, goes on behind what is
/// kept of it.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn grow(tx: &mut Tx, growth: &BTreeMap<Queue, Growth>) -> Result<BTreeMap<Queue, i64>, DbError> {
    let begin = tx.now().await?.as_micros();
    let growth: Vec<(&Queue, &Growth)> = growth.iter().collect();
    let mut ends = BTreeMap::new();
    for rows in growth.chunks(db::ROWS) {
        let sql = format!(
            "INSERT INTO delivery_destinations (org_id, channel, destination, sequence, next_time) VALUES {}
             ON CONFLICT (org_id, channel, destination) DO UPDATE SET
                 sequence = delivery_destinations.sequence + excluded.sequence - ${},
                 next_time = CASE
                     WHEN delivery_destinations.next_time <= excluded.next_time THEN delivery_destinations.next_time
                     WHEN delivery_destinations.rest_until > excluded.next_time THEN delivery_destinations.rest_until
                     ELSE excluded.next_time END
             RETURNING channel, destination, sequence",
            db::org_rows(rows.len(), 4),
            2 + 4 * rows.len(),
        );
        let query = rows.iter().fold(tx.query_dynamic(sql), |query, (queue, growth)| {
            let (channel, destination) = (queue.channel.as_str(), queue.destination.as_str());
            query.bind(channel).bind(destination).bind(begin.saturating_add(growth.by)).bind(growth.due_time)
        });
        let grown: Vec<(Channel, String, i64)> = query.bind(begin).fetch_all(tx).await?;
        ends.extend(
            grown.into_iter().map(|(channel, destination, end)| (Queue { channel, destination }, end)),
        );
    }
    Ok(ends)
}

/// How a destination has behaved lately; none if nothing was ever queued for it.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn find(tx: &mut Tx, queue: &Queue) -> Result<Option<Standing>, DbError> {
    tx.query(
        "SELECT failures, failing_since, rest_until FROM delivery_destinations
         WHERE org_id = $1 AND channel = $2 AND destination = $3",
    )
    .bind(queue.channel.as_str())
    .bind(queue.destination.as_str())
    .fetch_optional(tx)
    .await
}

/// A queue with something due.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct Due {
    /// Whose.
    pub org_id: OrgId,
    /// To which device or endpoint; empty for email.
    pub destination: String,
    /// Attempts in a row to which it did not answer.
    pub failures: i64,
}

/// At most `limit` queues of a channel with something due, locked until the commit: first one of each organization, in the order of
/// their names from behind `turn` on, then a second one of each, and so on. Queues that another process looks at are left to it (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn lock_due(tx: &mut Tx, channel: Channel, turn: &str, limit: i64) -> Result<Vec<Due>, DbError> {
    let now = tx.now().await?;
    let lock = match tx.engine() {
        Engine::Postgres => " FOR UPDATE OF d SKIP LOCKED",
        Engine::Sqlite => "",
    };
    let sql = format!(
        "SELECT d.org_id, d.destination, d.failures FROM delivery_destinations d JOIN (
             SELECT org_id, destination, place FROM (
                 SELECT org_id, destination,
                     row_number() OVER (PARTITION BY org_id ORDER BY next_time, destination) AS place
                 FROM delivery_destinations WHERE channel = $1 AND next_time <= $2) ranked
             ORDER BY place, org_id <= $3, org_id LIMIT $4) due
             ON due.org_id = d.org_id AND due.destination = d.destination
         WHERE d.channel = $1 AND d.next_time <= $2
         ORDER BY due.place, d.org_id <= $3, d.org_id{lock}"
    );
    tx.query_dynamic(sql)
        .bind(channel.as_str())
        .bind(now)
        .bind(turn.to_owned())
        .bind(limit)
        .fetch_all(tx)
        .await
}

/// Locks queues until the commit, in their order; who grows them does it in the same one.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn lock_all(tx: &mut Tx, queues: &BTreeSet<Queue>) -> Result<(), DbError> {
    if tx.engine() == Engine::Sqlite {
        // The only writer there is holds the whole database already.
        return Ok(());
    }
    let queues: Vec<(i64, &Queue)> = (0..).zip(queues).collect();
    for rows in queues.chunks(db::ROWS) {
        let sql = format!(
            "WITH wanted (place, channel, destination) AS (VALUES {})
             SELECT place FROM wanted JOIN delivery_destinations d
                 ON d.org_id = $1 AND d.channel = wanted.channel AND d.destination = wanted.destination
             ORDER BY place FOR UPDATE OF d",
            db::rows(2, rows.len(), 3)
        );
        let query = rows.iter().fold(tx.query_dynamic(sql), |query, (place, queue)| {
            query.bind(*place).bind(queue.channel.as_str()).bind(queue.destination.as_str())
        });
        let _locked: Vec<i64> = query.fetch_values(tx).await?;
    }
    Ok(())
}

/// Locks one queue until the commit, and tells how its destination has behaved (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn lock(tx: &mut Tx, org: &OrgId, queue: &Queue) -> Result<Option<Standing>, DbError> {
    tx.query(
        "UPDATE delivery_destinations SET failures = failures
         WHERE org_id = $1 AND channel = $2 AND destination = $3
         RETURNING failures, failing_since, rest_until",
    )
    .bind(org)
    .bind(queue.channel.as_str())
    .bind(queue.destination.as_str())
    .fetch_optional(tx)
    .await
}

/// Writes down how a destination behaved, and when something of its queue can be claimed next (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn put_standing(
    tx: &mut Tx,
    org: &OrgId,
    queue: &Queue,
    standing: &Standing,
) -> Result<u64, DbError> {
    tx.query(
        "UPDATE delivery_destinations SET failures = $4, failing_since = $5, rest_until = $6, next_time = (
             SELECT CASE WHEN MIN(due_time) < $6 THEN $6 ELSE MIN(due_time) END FROM deliveries
             WHERE org_id = $1 AND channel = $2 AND destination = $3 AND state = 'waiting' AND NOT behind)
         WHERE org_id = $1 AND channel = $2 AND destination = $3",
    )
    .bind(org)
    .bind(queue.channel.as_str())
    .bind(queue.destination.as_str())
    .bind(standing.failures)
    .bind(standing.failing_since)
    .bind(standing.rest_until)
    .execute(tx)
    .await
}

/// Notes when something of a queue can be claimed next: when the next one is due, where there is room for it, or else when a claim
/// ends of which nothing is heard; a claim that is settled asks for another look itself (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn put_next(tx: &mut Tx, org: &OrgId, queue: &Queue, room: bool) -> Result<u64, DbError> {
    let which = if room { "" } else { " AND fence IS NOT NULL" };
    let sql = format!(
        "UPDATE delivery_destinations SET next_time = (
             SELECT CASE WHEN MIN(due_time) < rest_until THEN rest_until ELSE MIN(due_time) END FROM deliveries
             WHERE org_id = $1 AND channel = $2 AND destination = $3 AND state = 'waiting' AND NOT behind{which})
         WHERE org_id = $1 AND channel = $2 AND destination = $3"
    );
    tx.query_dynamic(sql)
        .bind(org)
        .bind(queue.channel.as_str())
        .bind(queue.destination.as_str())
        .execute(tx)
        .await
}

/// When something of a channel can be claimed, in any organization; none: nothing waits (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn next_time(tx: &mut Tx, channel: Channel) -> Result<Option<Timestamp>, DbError> {
    tx.query("SELECT MIN(next_time) FROM delivery_destinations WHERE channel = $1 AND next_time IS NOT NULL")
        .bind(channel.as_str())
        .fetch_value(tx)
        .await
}

/// Forgets at most `limit` queues in which nothing waits, unless they have been failing since `since` or later (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove_idle(tx: &mut Tx, since: Timestamp, limit: i64) -> Result<u64, DbError> {
    tx.query(
        "WITH doomed AS MATERIALIZED (
             SELECT org_id, channel, destination FROM delivery_destinations
             WHERE next_time IS NULL AND (failing_since IS NULL OR failing_since < $1) LIMIT $2)
         DELETE FROM delivery_destinations
         WHERE next_time IS NULL AND (org_id, channel, destination) IN (SELECT org_id, channel, destination FROM doomed)",
    )
    .bind(since)
    .bind(limit)
    .execute(tx)
    .await
}

/// Has every queue of a channel looked at in which something waits (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn look_at_all(tx: &mut Tx, channel: Channel, now: Timestamp) -> Result<u64, DbError> {
    tx.query(
        "UPDATE delivery_destinations SET next_time = CASE WHEN rest_until > $2 THEN rest_until ELSE $2 END
         WHERE channel = $1 AND next_time > $2",
    )
    .bind(channel.as_str())
    .bind(now)
    .execute(tx)
    .await
}
