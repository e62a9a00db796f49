//! What is kept no longer. Ids carry the time at which something was written, so the tables' own keys are in its order.

use db::{DbError, Tx};
use kernel::{ConversationId, NoteId, Timestamp};
use uuid::Uuid;

use crate::domain::internal_message::{InternalMessageId, InternalThreadId};

/// Bits of a UUIDv7 behind its milliseconds.
const BEHIND_TIME: u32 = 80;

/// The least id of what was written at this time or later.
fn first_id_at(time: Timestamp) -> Uuid {
    let millis = u128::try_from(time.as_micros()).unwrap_or(0) / 1_000;
    Uuid::from_u128((millis & 0xffff_ffff_ffff) << BEHIND_TIME)
}

/// Notes written before a time, oldest first, at most `limit`.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_notes(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<NoteId>, DbError> {
    tx.query("SELECT note_id FROM notes WHERE org_id = $1 AND note_id < $2 ORDER BY note_id LIMIT $3")
        .bind(first_id_at(before))
        .bind(limit)
        .fetch_values(tx)
        .await
}

/// Tables with rows of notes, in the order in which they are emptied.
const OF_NOTES: [&str; 4] = ["note_revisions", "mentioned_people", "reply_recipients", "notes"];

/// Leaves nothing of these notes. Replies to them stay, if they are younger.
///
/// # Errors
/// [`DbError`] of the deletes; [`DbError::ForeignKey`] if something was added to a note at this moment.
pub async fn remove_notes(tx: &mut Tx, ids: &[NoteId]) -> Result<(), DbError> {
    for table in OF_NOTES {
        let sql =
            format!("DELETE FROM {table} WHERE org_id = $1 AND note_id IN {}", db::rows(2, 1, ids.len()));
        tx.query_dynamic(sql).bind_all(ids.iter().copied()).execute(tx).await?;
    }
    Ok(())
}

/// An internal message, and where it is.
#[derive(Debug, Clone, Copy, db::FromRow)]
pub struct OldMessage {
    /// Which.
    pub internal_message_id: InternalMessageId,
    /// In which thread.
    pub internal_thread_id: InternalThreadId,
    /// About which conversation.
    pub conversation_id: ConversationId,
}

/// Internal messages written before a time, oldest first, at most `limit`.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_messages(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<OldMessage>, DbError> {
    tx.query(
        "SELECT internal_message_id, internal_thread_id, conversation_id FROM internal_messages \
         WHERE org_id = $1 AND internal_message_id < $2 ORDER BY internal_message_id LIMIT $3",
    )
    .bind(first_id_at(before))
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Removes internal messages.
///
/// # Errors
/// [`DbError`] of the delete.
pub async fn remove_messages(tx: &mut Tx, ids: &[InternalMessageId]) -> Result<(), DbError> {
    let sql = format!(
        "DELETE FROM internal_messages WHERE org_id = $1 AND internal_message_id IN {}",
        db::rows(2, 1, ids.len())
    );
    tx.query_dynamic(sql).bind_all(ids.iter().copied()).execute(tx).await.map(drop)
}

/// Counts afresh what the people of these threads have not read. The caller holds the locks of the conversations, so that no message
/// comes meanwhile.
///
/// # Errors
/// [`DbError`] of the update.
pub async fn recount_unread(tx: &mut Tx, threads: &[InternalThreadId]) -> Result<(), DbError> {
    let sql = format!(
        "UPDATE internal_people SET unread_count = ( \
             SELECT COUNT(*) FROM internal_messages m WHERE m.org_id = internal_people.org_id \
             AND m.internal_thread_id = internal_people.internal_thread_id \
             AND m.create_time > internal_people.read_time AND m.author_subject <> internal_people.subject) \
         WHERE org_id = $1 AND internal_thread_id IN {} AND unread_count > 0",
        db::rows(2, 1, threads.len())
    );
    tx.query_dynamic(sql).bind_all(threads.iter().copied()).execute(tx).await.map(drop)
}

/// Removes those of the threads that have no message any more, with their people.
///
/// # Errors
/// [`DbError`] of the deletes.
pub async fn remove_empty_threads(tx: &mut Tx, threads: &[InternalThreadId]) -> Result<(), DbError> {
    for table in ["internal_people", "internal_threads"] {
        let sql = format!(
            "DELETE FROM {table} WHERE org_id = $1 AND internal_thread_id IN {} AND NOT EXISTS ( \
                 SELECT 1 FROM internal_messages m WHERE m.org_id = {table}.org_id \
                 AND m.internal_thread_id = {table}.internal_thread_id)",
            db::rows(2, 1, threads.len())
        );
        tx.query_dynamic(sql).bind_all(threads.iter().copied()).execute(tx).await?;
    }
    Ok(())
}
