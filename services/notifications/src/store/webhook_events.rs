//! What happened, for webhooks: kept once for all of them, for some days.

use std::collections::BTreeSet;

use db::{DbError, Tx};
use erasure::ErasureId;
use kernel::{ContactId, EventId, Timestamp};
use uuid::Uuid;

use crate::domain::webhook_event::{EventType, WebhookEvent};

/// Columns of a row beside the organization.
const COLUMNS: usize = 9;

/// Adds events, taken at times which begin with `now` and grow by a microsecond, so that their order is kept. What notes say goes
/// with those of `private` only.
///
/// # Errors
/// [`DbError`] of the insert.
pub async fn insert(
    tx: &mut Tx,
    events: &[&WebhookEvent],
    private: &BTreeSet<EventId>,
    now: Timestamp,
) -> Result<(), DbError> {
    let mut taken = now;
    for rows in events.chunks(db::ROWS) {
        let sql = format!(
            "INSERT INTO webhook_events (org_id, event_id, type, object_id, conversation_id, contact_id, occur_time, \
             create_time, data, private_text) VALUES {} ON CONFLICT (org_id, event_id) DO NOTHING",
            db::org_rows(rows.len(), COLUMNS)
        );
        let mut query = tx.query_dynamic(sql);
        for event in rows {
            let text = event.private_text.as_deref().filter(|_| private.contains(&event.event_id));
            query = query
                .bind(event.event_id)
                .bind(event.kind.as_str())
                .bind(event.object)
                .bind(event.conversation)
                .bind(event.contact)
                .bind(event.occur_time)
                .bind(taken)
                .bind(event.data.to_string())
                .bind(text.map(str::to_owned));
            taken = taken.plus(std::time::Duration::from_micros(1));
        }
        query.execute(tx).await?;
    }
    Ok(())
}

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct Kept {
    /// Its name in the contract's spelling.
    #[sqlx(rename = "type")]
    pub kind: String,
    /// When it happened.
    pub occur_time: Timestamp,
    /// What everybody gets: a JSON object.
    pub data: String,
    /// What a note says.
    pub private_text: Option<String>,
}

/// An event, if it is kept still.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn find(tx: &mut Tx, id: EventId) -> Result<Option<Kept>, DbError> {
    tx.query(
        "SELECT type, occur_time, data, private_text FROM webhook_events WHERE org_id = $1 AND event_id = $2",
    )
    .bind(id)
    .fetch_optional(tx)
    .await
}

/// The place of an event in the order in which they were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// When it was taken.
    pub create_time: Timestamp,
    /// Its id, where two were taken at the same time.
    pub event_id: EventId,
}

/// An event's place, and its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, db::FromRow)]
pub struct Placed {
    /// The event.
    pub event_id: EventId,
    /// To what it happened.
    pub object_id: Uuid,
    /// When it was taken.
    pub create_time: Timestamp,
}

/// Events of some types behind a place, in their order, at most `limit`.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn behind(
    tx: &mut Tx,
    place: Place,
    kinds: &BTreeSet<EventType>,
    limit: i64,
) -> Result<Vec<Placed>, DbError> {
    let sql = format!(
        "SELECT event_id, object_id, create_time FROM webhook_events \
         WHERE org_id = $1 AND (create_time, event_id) > ($2, $3) AND type IN {} \
         ORDER BY create_time, event_id LIMIT $4",
        db::rows(5, 1, kinds.len())
    );
    tx.query_dynamic(sql)
        .bind(place.create_time)
        .bind(place.event_id)
        .bind(limit)
        .bind_all(kinds.iter().map(|kind| kind.as_str()))
        .fetch_all(tx)
        .await
}

/// Removes what was kept about a contact.
///
/// # Errors
/// [`DbError`] of the delete.
pub async fn remove_of_contact(tx: &mut Tx, contact: ContactId) -> Result<u64, DbError> {
    tx.query("DELETE FROM webhook_events WHERE org_id = $1 AND contact_id = $2")
        .bind(contact)
        .execute(tx)
        .await
}

/// Removes at most `limit` events about the erasure's conversations; tells how many.
///
/// # Errors
/// [`DbError`] of the delete.
pub async fn remove_erased(tx: &mut Tx, erasure: ErasureId, limit: i64) -> Result<u64, DbError> {
    tx.query(
        "WITH doomed AS MATERIALIZED (
             SELECT t.event_id FROM erased e
             JOIN webhook_events t ON t.org_id = e.org_id AND t.conversation_id = e.id
             WHERE e.org_id = $1 AND e.erasure_id = $2 AND e.kind = 'conversation' LIMIT $3)
         DELETE FROM webhook_events WHERE org_id = $1 AND event_id IN (SELECT event_id FROM doomed)",
    )
    .bind(erasure)
    .bind(limit)
    .execute(tx)
    .await
}

/// Removes at most `limit` events of every organization that were taken before (system scope); tells how many.
///
/// # Errors
/// [`DbError`] of the delete.
pub async fn remove_taken_before(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, DbError> {
    tx.query(
        "WITH doomed AS MATERIALIZED (
             SELECT org_id, event_id FROM webhook_events WHERE create_time < $1 ORDER BY create_time LIMIT $2)
         DELETE FROM webhook_events WHERE (org_id, event_id) IN (SELECT org_id, event_id FROM doomed)",
    )
    .bind(before)
    .bind(limit)
    .execute(tx)
    .await
}

/// Whether anything is kept for the organization's webhooks.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn is_any_kept(tx: &mut Tx) -> Result<bool, DbError> {
    let any: Option<i64> = tx
        .query(
            "SELECT create_time FROM webhook_events WHERE org_id = $1 ORDER BY create_time, event_id LIMIT 1",
        )
        .fetch_optional_value(tx)
        .await?;
    Ok(any.is_some())
}
