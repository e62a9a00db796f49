//! Read, archive, snooze. The caller holds the lock of the feed's head.

use db::{DbError, Tx};
use kernel::{NotificationId, Subject, Timestamp};

use crate::domain::Sequence;
use crate::domain::notification::Handling;

/// Marks those of a person's entries as read that are not; tells how many the unread counter has fewer now. What was
/// snoozed is no longer: the person has seen it.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn mark_read(
    tx: &mut Tx,
    subject: &Subject,
    ids: &[NotificationId],
    now: Timestamp,
) -> Result<i64, DbError> {
    let sql = format!(
        "UPDATE feed_entries SET read_time = $3, snooze_until_time = NULL
         WHERE org_id = $1 AND subject = $2 AND read_time IS NULL AND notification_id IN {}
         RETURNING archive_time",
        db::rows(4, 1, ids.len())
    );
    let query = tx.query_dynamic(sql).bind(subject).bind(now).bind_all(ids.iter().copied());
    let archived: Vec<Option<Timestamp>> = query.fetch_values(tx).await?;
    // Archived ones were not counted before either.
    Ok(archived.iter().filter(|time| time.is_none()).map(|_| 1).sum())
}

/// Marks a person's entries up to a place as read; not what is snoozed for now, which the person wants to see again.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn mark_read_through(
    tx: &mut Tx,
    subject: &Subject,
    place: Sequence,
    now: Timestamp,
) -> Result<u64, DbError> {
    tx.query(
        "UPDATE feed_entries SET read_time = $4, snooze_until_time = NULL
         WHERE org_id = $1 AND subject = $2 AND sequence <= $3 AND read_time IS NULL
             AND (snooze_until_time IS NULL OR snooze_until_time <= $4)",
    )
    .bind(subject)
    .bind(place)
    .bind(now)
    .execute(tx)
    .await
}

/// Stores what a person did with an entry.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn put(
    tx: &mut Tx,
    subject: &Subject,
    place: Sequence,
    handling: &Handling,
) -> Result<u64, DbError> {
    tx.query(
        "UPDATE feed_entries SET read_time = $4, archive_time = $5, snooze_until_time = $6
         WHERE org_id = $1 AND subject = $2 AND sequence = $3",
    )
    .bind(subject)
    .bind(place)
    .bind(handling.read_time)
    .bind(handling.archive_time)
    .bind(handling.snooze_until_time)
    .execute(tx)
    .await
}
