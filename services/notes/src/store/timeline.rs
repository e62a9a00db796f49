//! Notes and internal messages in the order of a timeline, in either direction.

use db::{DbError, Tx};
use kernel::{ConversationId, Subject};

use super::internal_messages::messages::MessageRow;
use super::lists::Shelf;
use super::notes::{NoteRow, all, select_notes};
use crate::domain::Note;
use crate::domain::internal_message::{InternalMessage, InternalThreadId};
use crate::domain::timeline::{Edge, Order};

/// The notes of a shelf behind a time and id, at most `limit`.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_notes(
    tx: &mut Tx,
    shelf: Shelf,
    order: Order,
    edge: Edge,
    limit: i64,
) -> Result<Vec<Note>, DbError> {
    let sql = match (shelf, order) {
        (Shelf::Conversation(_), Order::OldestFirst) => select_notes!(
            "WHERE org_id = $1 AND conversation_id = $2 AND (create_time, note_id) > ($3, $4) \
             ORDER BY create_time, note_id LIMIT $5"
        ),
        (Shelf::Conversation(_), Order::NewestFirst) => select_notes!(
            "WHERE org_id = $1 AND conversation_id = $2 AND (create_time, note_id) < ($3, $4) \
             ORDER BY create_time DESC, note_id DESC LIMIT $5"
        ),
        (Shelf::Contact(_), Order::OldestFirst) => select_notes!(
            "WHERE org_id = $1 AND contact_id = $2 AND conversation_id IS NULL \
             AND (create_time, note_id) > ($3, $4) ORDER BY create_time, note_id LIMIT $5"
        ),
        (Shelf::Contact(_), Order::NewestFirst) => select_notes!(
            "WHERE org_id = $1 AND contact_id = $2 AND conversation_id IS NULL \
             AND (create_time, note_id) < ($3, $4) ORDER BY create_time DESC, note_id DESC LIMIT $5"
        ),
    };
    let query = match shelf {
        Shelf::Conversation(id) => tx.query(sql).bind(id),
        Shelf::Contact(id) => tx.query(sql).bind(id),
    };
    let rows: Vec<NoteRow> = query.bind(edge.time).bind(edge.id).bind(limit).fetch_all(tx).await?;
    all(rows)
}

/// Which threads of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Threads {
    /// Every one.
    All,
    /// These.
    These(Vec<InternalThreadId>),
}

/// The threads on a conversation that a person is in.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_own_threads(
    tx: &mut Tx,
    conversation_id: ConversationId,
    subject: &Subject,
) -> Result<Vec<InternalThreadId>, DbError> {
    tx.query(
        "SELECT internal_thread_id FROM internal_people \
         WHERE org_id = $1 AND conversation_id = $2 AND subject = $3",
    )
    .bind(conversation_id)
    .bind(subject)
    .fetch_values(tx)
    .await
}

/// The internal messages of a conversation behind a time and id, at most `limit`.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_internal_messages(
    tx: &mut Tx,
    conversation_id: ConversationId,
    threads: &Threads,
    order: Order,
    edge: Edge,
    limit: i64,
) -> Result<Vec<InternalMessage>, DbError> {
    let (sign, direction) = match order {
        Order::OldestFirst => (">", ""),
        Order::NewestFirst => ("<", " DESC"),
    };
    let these: &[InternalThreadId] = match threads {
        Threads::All => &[],
        Threads::These(these) => these,
    };
    let within = match threads {
        Threads::All => String::new(),
        Threads::These(these) => format!(" AND internal_thread_id IN {}", db::rows(6, 1, these.len())),
    };
    let sql = format!(
        "SELECT internal_message_id, internal_thread_id, conversation_id, author_subject, author_role, \
         author_name, body, create_time FROM internal_messages \
         WHERE org_id = $1 AND conversation_id = $2 AND (create_time, internal_message_id) {sign} ($3, $4){within} \
         ORDER BY create_time{direction}, internal_message_id{direction} LIMIT $5"
    );
    let query = tx.query_dynamic(sql).bind(conversation_id).bind(edge.time).bind(edge.id).bind(limit);
    let rows: Vec<MessageRow> = query.bind_all(these.iter().copied()).fetch_all(tx).await?;
    rows.into_iter().map(InternalMessage::try_from).collect()
}
