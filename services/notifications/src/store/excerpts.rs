//! The beginnings of what events are about, apart from every feed.

use db::{DbError, Engine, Tx};
use erasure::ErasureId;
use kernel::{ConversationId, EventId, NotificationId, OrgId, Subject, Timestamp};

use crate::domain::Excerpt;

/// What is kept of one event.
#[derive(Debug)]
pub struct Kept<'a> {
    /// The event.
    pub event_id: EventId,
    /// Its conversation, with which it is erased.
    pub conversation_id: Option<ConversationId>,
    /// The text.
    pub excerpt: &'a Excerpt,
}

/// Whether the organization wants excerpts in its emails. It decides nothing else before the transaction ends: whoever decides and then
/// removes what there is finds what this transaction keeps.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn wanted(tx: &mut Tx) -> Result<bool, DbError> {
    let sql = match tx.engine() {
        // The only writer there is.
        Engine::Sqlite => "SELECT version FROM feed_settings WHERE org_id = $1 AND email_content = 'excerpt'",
        Engine::Postgres => {
            "SELECT version FROM feed_settings WHERE org_id = $1 AND email_content = 'excerpt' FOR SHARE"
        }
    };
    let wanted: Option<i64> = tx.query(sql).fetch_optional_value(tx).await?;
    Ok(wanted.is_some())
}

/// Every organization that wants them (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn wanting(tx: &mut Tx) -> Result<Vec<OrgId>, DbError> {
    tx.query("SELECT org_id FROM feed_settings WHERE email_content = 'excerpt'").fetch_values(tx).await
}

/// Keeps excerpts of events.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn insert(tx: &mut Tx, kept: &[Kept<'_>], now: Timestamp) -> Result<(), DbError> {
    for rows in kept.chunks(db::ROWS) {
        let sql = format!(
            "INSERT INTO excerpts (org_id, event_id, conversation_id, text, create_time) VALUES {}
             ON CONFLICT DO NOTHING",
            db::org_rows(rows.len(), 4)
        );
        let query = rows.iter().fold(tx.query_dynamic(sql), |query, row| {
            query.bind(row.event_id).bind(row.conversation_id).bind(row.excerpt.as_str()).bind(now)
        });
        query.execute(tx).await?;
    }
    Ok(())
}

/// The excerpts of some of a person's entries. None if the organization does not want them any more.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn of_entries(
    tx: &mut Tx,
    subject: &Subject,
    entries: &[NotificationId],
) -> Result<Vec<(NotificationId, Excerpt)>, DbError> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT e.notification_id, x.text FROM feed_entries e
         JOIN excerpts x ON x.org_id = e.org_id AND x.event_id = e.event_id
         JOIN feed_settings s ON s.org_id = e.org_id AND s.email_content = 'excerpt'
         WHERE e.org_id = $1 AND e.subject = $2 AND e.notification_id IN {}",
        db::rows(3, 1, entries.len())
    );
    let query = tx.query_dynamic(sql).bind(subject).bind_all(entries.iter().copied());
    let rows: Vec<(NotificationId, String)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(id, text)| (id, Excerpt::stored(text))).collect())
}

/// Removes at most `limit` of the organization's excerpts from before a moment; tells how many there were.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove_before(tx: &mut Tx, moment: Timestamp, limit: i64) -> Result<u64, DbError> {
    tx.query(
        "DELETE FROM excerpts WHERE org_id = $1 AND event_id IN (
             SELECT event_id FROM excerpts WHERE org_id = $1 AND create_time < $2 LIMIT $3)",
    )
    .bind(moment)
    .bind(limit)
    .execute(tx)
    .await
}

/// At most `limit` organizations with excerpts from before a moment (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn due_organizations(tx: &mut Tx, moment: Timestamp, limit: i64) -> Result<Vec<OrgId>, DbError> {
    tx.query("SELECT DISTINCT org_id FROM excerpts WHERE create_time < $1 LIMIT $2")
        .bind(moment)
        .bind(limit)
        .fetch_values(tx)
        .await
}

/// Removes at most `limit` excerpts about conversations that an erasure buried; tells how many there were.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove_erased(tx: &mut Tx, erasure: ErasureId, limit: i64) -> Result<u64, DbError> {
    tx.query(
        "DELETE FROM excerpts WHERE org_id = $1 AND event_id IN (
             SELECT x.event_id FROM erased e
             JOIN excerpts x ON x.org_id = e.org_id AND x.conversation_id = e.id
             WHERE e.org_id = $1 AND e.erasure_id = $2 AND e.kind = 'conversation' LIMIT $3)",
    )
    .bind(erasure)
    .bind(limit)
    .execute(tx)
    .await
}
