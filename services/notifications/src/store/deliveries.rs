//! Deliveries in their queues: added, rewritten. The queue of each is locked before (see [`super::destinations`]).

use std::collections::HashSet;

use db::{DbError, Json, Tx};
use kernel::{Subject, Timestamp};

use super::destinations::Queue;
use crate::domain::delivery::{Body, Channel, DeliveryId, DeliveryState, NewDelivery};

/// A lane of a queue.
pub type Lane = (Queue, String);

/// Which of these lanes have something that is not done.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn busy_lanes(tx: &mut Tx, lanes: &[Lane]) -> Result<HashSet<Lane>, DbError> {
    let mut busy = HashSet::new();
    for rows in lanes.chunks(db::ROWS) {
        let sql = format!(
            "WITH wanted (channel, destination, lane) AS (VALUES {})
             SELECT channel, destination, lane FROM wanted WHERE EXISTS (
                 SELECT 1 FROM deliveries d
                 WHERE d.org_id = $1 AND d.channel = wanted.channel AND d.destination = wanted.destination
                     AND d.lane = wanted.lane AND d.state = 'waiting' AND d.lane <> '')",
            db::rows(2, rows.len(), 3)
        );
        let query = rows.iter().fold(tx.query_dynamic(sql), |query, (queue, lane)| {
            query.bind(queue.channel.as_str()).bind(queue.destination.as_str()).bind(lane.as_str())
        });
        let found: Vec<(Channel, String, String)> = query.fetch_all(tx).await?;
        busy.extend(
            found.into_iter().map(|(channel, destination, lane)| (Queue { channel, destination }, lane)),
        );
    }
    Ok(busy)
}

/// A new delivery at its place in its queue.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The delivery.
    pub new: &'a NewDelivery,
    /// Its place.
    pub sequence: i64,
    /// Whether an earlier one of its lane is not done.
    pub behind: bool,
}

/// Adds deliveries.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn insert(tx: &mut Tx, placed: &[Placed<'_>], now: Timestamp) -> Result<(), DbError> {
    for rows in placed.chunks(db::ROWS) {
        let sql = format!(
            "INSERT INTO deliveries (org_id, delivery_id, channel, destination, sequence, lane, subject, body, state, \
             behind, due_time, create_time) VALUES {}",
            db::org_rows(rows.len(), 11)
        );
        let mut query = tx.query_dynamic(sql);
        for Placed { new, sequence, behind } in rows {
            query = query
                .bind(new.delivery_id)
                .bind(new.channel.as_str())
                .bind(new.destination.as_str())
                .bind(*sequence)
                .bind(new.lane.as_str())
                .bind(new.subject.as_ref().map_or("", Subject::as_str))
                .bind(Json(new.body.value()))
                .bind(DeliveryState::Waiting.as_str())
                .bind(*behind)
                .bind(new.due_time)
                .bind(now);
        }
        query.execute(tx).await?;
    }
    Ok(())
}

/// Writes another body and time into a delivery that was never claimed; tells whether it was: else it is too late, and a new one has to be
/// made. For a bundle that grows; the time may only become later.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn rewrite(tx: &mut Tx, id: DeliveryId, body: &Body, due_time: Timestamp) -> Result<bool, DbError> {
    let written = tx
        .query(
            "UPDATE deliveries SET body = $3, due_time = $4
             WHERE org_id = $1 AND delivery_id = $2 AND state = 'waiting' AND attempt = 0",
        )
        .bind(id)
        .bind(Json(body.value()))
        .bind(due_time)
        .execute(tx)
        .await?;
    Ok(written > 0)
}
