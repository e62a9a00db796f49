//! What people were told.

use std::collections::HashSet;

use db::{DbError, Tx};
use kernel::{EventId, NotificationId, Subject, Timestamp};

use super::row::{Row, columns};
use crate::domain::{Entry, Notification, Sequence};

/// Adds entries.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn insert(tx: &mut Tx, entries: &[Entry<'_>], now: Timestamp) -> Result<(), DbError> {
    for rows in entries.chunks(db::ROWS) {
        let sql = format!(
            "INSERT INTO feed_entries (org_id, subject, sequence, notification_id, event_id, type, reason, \
             conversation_id, note_id, actor_subject, actor_role, actor_name, occur_time, create_time) VALUES {}",
            db::org_rows(rows.len(), 13)
        );
        let mut query = tx.query_dynamic(sql);
        for Entry { recipient, sequence, notification_id, event } in rows {
            let actor = event.actor.as_ref();
            query = query
                .bind(*recipient)
                .bind(*sequence)
                .bind(*notification_id)
                .bind(event.event_id)
                .bind(event.kind.as_str())
                .bind(event.reason.as_str())
                .bind(event.conversation_id)
                .bind(event.note_id)
                .bind(actor.map(|actor| &actor.subject))
                .bind(actor.map(|actor| actor.role.as_str()))
                .bind(actor.map(|actor| actor.name.as_str()))
                .bind(event.occur_time)
                .bind(now);
        }
        query.execute(tx).await?;
    }
    Ok(())
}

/// Which of these events are in somebody's feed. The inbox forgets an event after some days, feeds keep it for longer.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn known_events(tx: &mut Tx, events: &[EventId]) -> Result<HashSet<EventId>, DbError> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = format!(
        "SELECT DISTINCT event_id FROM feed_entries WHERE org_id = $1 AND event_id IN {}",
        db::rows(2, 1, events.len())
    );
    let query = tx.query_dynamic(sql).bind_all(events.iter().copied());
    Ok(query.fetch_values(tx).await?.into_iter().collect())
}

/// A person's entry.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn find(
    tx: &mut Tx,
    subject: &Subject,
    id: NotificationId,
) -> Result<Option<Notification>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM feed_entries WHERE org_id = $1 AND subject = $2 AND notification_id = $3"
    );
    let row: Option<Row> = tx.query(SQL).bind(subject).bind(id).fetch_optional(tx).await?;
    Ok(row.map(Notification::from))
}

/// What comes behind a place.
#[derive(Debug, Default)]
pub struct After {
    /// The entries, oldest first.
    pub entries: Vec<Notification>,
    /// How often the person did something with entries so far; not known where there are none.
    pub handlings: Option<i64>,
}

#[derive(db::FromRow)]
struct AfterRow {
    #[sqlx(flatten)]
    entry: Row,
    handlings: i64,
}

/// At most `limit` entries behind a place.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn after(tx: &mut Tx, subject: &Subject, place: Sequence, limit: i64) -> Result<After, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        ", (SELECT handlings FROM feed_heads WHERE org_id = $1 AND subject = $2) AS handlings
         FROM feed_entries WHERE org_id = $1 AND subject = $2 AND sequence > $3 ORDER BY sequence LIMIT $4"
    );
    let rows: Vec<AfterRow> = tx.query(SQL).bind(subject).bind(place).bind(limit).fetch_all(tx).await?;
    let handlings = rows.first().map(|row| row.handlings);
    Ok(After { entries: rows.into_iter().map(|row| Notification::from(row.entry)).collect(), handlings })
}

/// When the oldest entry still kept behind a place entered the feed.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn oldest_time(
    tx: &mut Tx,
    subject: &Subject,
    place: Sequence,
) -> Result<Option<Timestamp>, DbError> {
    tx.query(
        "SELECT create_time FROM feed_entries WHERE org_id = $1 AND subject = $2 AND sequence > $3
         ORDER BY sequence LIMIT 1",
    )
    .bind(subject)
    .bind(place)
    .fetch_optional_value(tx)
    .await
}

/// Whose entry this is, and its place in their feed.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn find_place(tx: &mut Tx, id: NotificationId) -> Result<Option<(Subject, Sequence)>, DbError> {
    tx.query("SELECT subject, sequence FROM feed_entries WHERE org_id = $1 AND notification_id = $2")
        .bind(id)
        .fetch_optional(tx)
        .await
}
