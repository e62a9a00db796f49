//! What the relay gave up, for administrators: listed per organization, and sent again on request.

use db::{DbError, Tx};
use kernel::{EventId, Timestamp};

/// An event that its consumer refused until the relay gave up. Without its payload, which is content.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct DeadLetter {
    /// Position in the outbox; the cursor of [`dead_letters`].
    pub seq: i64,
    /// The event.
    pub event_id: EventId,
    /// The peer that refused it.
    pub target: String,
    /// What had happened.
    pub kind: String,
    /// Deliveries tried.
    pub attempts: i64,
    /// The last refusal, as a code or reason name.
    pub last_error: Option<String>,
    /// When it was recorded.
    pub create_time: Timestamp,
}

/// The organization's dead letters after position `after` (0: from the beginning), oldest first, at most `limit`.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn dead_letters(tx: &mut Tx, after: i64, limit: u32) -> Result<Vec<DeadLetter>, DbError> {
    tx.query(
        "SELECT seq, event_id, target, kind, attempts, last_error, create_time FROM outbox
        WHERE org_id = $1 AND state = 'dead' AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(tx)
    .await
}

/// Gives a dead letter all its attempts again, and says whether there was one. Events of its key that have passed it
/// stay ahead; those that still wait, wait for it. [`crate::Outbox::ring`] after the commit has it sent at once.
///
/// # Errors
/// [`DbError`] of the update.
pub async fn retry_dead(tx: &mut Tx, event_id: EventId) -> Result<bool, DbError> {
    let now = tx.now().await?;
    let revived = tx
        .query(
            "UPDATE outbox SET state = 'pending', attempts = 0, next_attempt_time = $3
            WHERE org_id = $1 AND event_id = $2 AND state = 'dead'",
        )
        .bind(event_id)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(revived > 0)
}
