//! Notes in the order of their lists: of a conversation, of a contact, of a thread.

use db::{DbError, Tx};
use kernel::{ContactId, ConversationId, NoteId, Subject, Timestamp};

use super::notes::{NoteRow, all, select_notes};
use crate::domain::Note;

/// Whose notes are listed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Those on a conversation.
    Conversation(ConversationId),
    /// Those on a contact.
    Contact(ContactId),
}

/// A place in a list: behind the note with this time and id. The time is that by which the list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct After(pub Timestamp, pub NoteId);

impl After {
    /// Before the first note.
    pub const START: Self = Self(Timestamp::from_micros(i64::MIN), NoteId::from_uuid(uuid::Uuid::nil()));

    /// Behind this note, where notes are ordered by when they were written.
    pub fn note(note: &Note) -> Self {
        Self(note.create_time, note.note_id)
    }
}

/// Notes of a shelf that are pinned, in the order in which they were, at most `limit` behind `after`.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_pinned(tx: &mut Tx, shelf: Shelf, after: After, limit: i64) -> Result<Vec<Note>, DbError> {
    let query = match shelf {
        Shelf::Conversation(id) => tx
            .query(select_notes!(
                "WHERE org_id = $1 AND conversation_id = $2 AND pin_time IS NOT NULL \
                 AND (pin_time, note_id) > ($3, $4) ORDER BY pin_time, note_id LIMIT $5"
            ))
            .bind(id),
        Shelf::Contact(id) => tx
            .query(select_notes!(
                "WHERE org_id = $1 AND contact_id = $2 AND conversation_id IS NULL AND pin_time IS NOT NULL \
                 AND (pin_time, note_id) > ($3, $4) ORDER BY pin_time, note_id LIMIT $5"
            ))
            .bind(id),
    };
    let rows: Vec<NoteRow> = query.bind(after.0).bind(after.1).bind(limit).fetch_all(tx).await?;
    all(rows)
}

/// Notes of a shelf that were not pinned at a time, oldest first, at most `limit` behind `after`. At a time before all pins
/// these are all notes.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_unpinned(
    tx: &mut Tx,
    shelf: Shelf,
    at: Timestamp,
    after: After,
    limit: i64,
) -> Result<Vec<Note>, DbError> {
    let query = match shelf {
        Shelf::Conversation(id) => tx
            .query(select_notes!(
                "WHERE org_id = $1 AND conversation_id = $2 AND (create_time, note_id) > ($3, $4) \
                 AND (pin_time IS NULL OR pin_time > $5) ORDER BY create_time, note_id LIMIT $6"
            ))
            .bind(id),
        Shelf::Contact(id) => tx
            .query(select_notes!(
                "WHERE org_id = $1 AND contact_id = $2 AND conversation_id IS NULL \
                 AND (create_time, note_id) > ($3, $4) \
                 AND (pin_time IS NULL OR pin_time > $5) ORDER BY create_time, note_id LIMIT $6"
            ))
            .bind(id),
    };
    let rows: Vec<NoteRow> = query.bind(after.0).bind(after.1).bind(at).bind(limit).fetch_all(tx).await?;
    all(rows)
}

/// The replies in a thread, oldest first, at most `limit` behind `after`.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_replies(
    tx: &mut Tx,
    thread: NoteId,
    after: After,
    limit: i64,
) -> Result<Vec<Note>, DbError> {
    let rows: Vec<NoteRow> = tx
        .query(select_notes!(
            "WHERE org_id = $1 AND thread_id = $2 AND (create_time, note_id) > ($3, $4) \
             ORDER BY create_time, note_id LIMIT $5"
        ))
        .bind(thread)
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(tx)
        .await?;
    all(rows)
}

/// The handoffs that wait for a person to acknowledge them, oldest first, at most `limit` behind `after`.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_unacknowledged(
    tx: &mut Tx,
    subject: &Subject,
    after: After,
    limit: i64,
) -> Result<Vec<Note>, DbError> {
    let rows: Vec<NoteRow> = tx
        .query(select_notes!(
            "WHERE org_id = $1 AND awaits_subject = $2 AND (create_time, note_id) > ($3, $4) \
             ORDER BY create_time, note_id LIMIT $5"
        ))
        .bind(subject)
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(tx)
        .await?;
    all(rows)
}
