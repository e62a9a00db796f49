//! Read, archive, snooze. The caller holds the lock of the feed's head.

use db::{DbError, Tx};
use kernel::{NotificationId, Subject, Timestamp};

use crate::domain::notification::{Changed, Handling};
use crate::domain::{Handled, Sequence};

/// Marks those of a person's entries as read that are not, with the handling of this number. What was snoozed is no longer: the
/// person has seen it.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn mark_read(
    tx: &mut Tx,
    subject: &Subject,
    ids: &[NotificationId],
    handling: i64,
    now: Timestamp,
) -> Result<Marked, DbError> {
    let sql = format!(
        "UPDATE feed_entries SET read_time = $3, snooze_until_time = NULL, last_handling = $4
         WHERE org_id = $1 AND subject = $2 AND read_time IS NULL AND notification_id IN {}
         RETURNING archive_time",
        db::rows(5, 1, ids.len())
    );
    let query = tx.query_dynamic(sql).bind(subject).bind(now).bind(handling).bind_all(ids.iter().copied());
    let archived: Vec<Option<Timestamp>> = query.fetch_values(tx).await?;
    // Archived ones were not counted before either.
    let counted = archived.iter().filter(|time| time.is_none()).map(|_| 1).sum();
    Ok(Marked { any: !archived.is_empty(), counted })
}

/// What marking entries as read changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// Whether any entry changed.
    pub any: bool,
    /// How many the unread counter has fewer.
    pub counted: i64,
}

/// Marks a person's entries up to a place as read; not what is snoozed for now, which the person wants to see again.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn mark_read_through(
    tx: &mut Tx,
    subject: &Subject,
    place: Sequence,
    handling: i64,
    now: Timestamp,
) -> Result<u64, DbError> {
    tx.query(
        "UPDATE feed_entries SET read_time = $4, snooze_until_time = NULL, last_handling = $5
         WHERE org_id = $1 AND subject = $2 AND sequence <= $3 AND read_time IS NULL
             AND (snooze_until_time IS NULL OR snooze_until_time <= $4)",
    )
    .bind(subject)
    .bind(place)
    .bind(now)
    .bind(handling)
    .execute(tx)
    .await
}

/// Stores what a person did with an entry, with the handling of this number.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn put(
    tx: &mut Tx,
    subject: &Subject,
    place: Sequence,
    handling: &Handling,
    number: i64,
) -> Result<u64, DbError> {
    tx.query(
        "UPDATE feed_entries SET read_time = $4, archive_time = $5, snooze_until_time = $6, last_handling = $7
         WHERE org_id = $1 AND subject = $2 AND sequence = $3",
    )
    .bind(subject)
    .bind(place)
    .bind(handling.read_time)
    .bind(handling.archive_time)
    .bind(handling.snooze_until_time)
    .bind(number)
    .execute(tx)
    .await
}

/// At most `limit` entries with which the person did something behind a place, as they are now, in the order in which it was done.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn changed_after(
    tx: &mut Tx,
    subject: &Subject,
    place: Handled,
    limit: i64,
) -> Result<Vec<Changed>, DbError> {
    // Not by comparing pairs: SQLite would not take the index for it.
    tx.query(
        "SELECT notification_id, sequence, last_handling, read_time, archive_time, snooze_until_time
         FROM feed_entries
         WHERE org_id = $1 AND subject = $2 AND last_handling >= $3 AND (last_handling > $3 OR sequence > $4)
         ORDER BY last_handling, sequence LIMIT $5",
    )
    .bind(subject)
    .bind(place.handling)
    .bind(place.entry)
    .bind(limit)
    .fetch_all(tx)
    .await
}
