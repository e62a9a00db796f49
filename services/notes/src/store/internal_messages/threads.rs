//! Threads: one for each agent with whom something was written about a conversation.

use db::{DbError, Tx};
use kernel::{ConversationId, Subject, Timestamp};
use uuid::Uuid;

use crate::domain::internal_message::{InternalThread, InternalThreadId, Sight};

#[derive(db::FromRow)]
struct ThreadRow {
    internal_thread_id: InternalThreadId,
    conversation_id: ConversationId,
    agent_subject: Subject,
    last_message_time: Timestamp,
    create_time: Timestamp,
}

impl From<ThreadRow> for InternalThread {
    fn from(row: ThreadRow) -> Self {
        Self {
            thread_id: row.internal_thread_id,
            conversation_id: row.conversation_id,
            agent_subject: row.agent_subject,
            people: Vec::new(),
            last_message_time: row.last_message_time,
            create_time: row.create_time,
        }
    }
}

/// Behind every thread: where a list of the latest first begins.
pub const START: InternalThreadId = InternalThreadId::from_uuid(Uuid::max());

/// Opens the thread of an agent on a conversation with a message of this time, or notes the message in the one there is.
/// Without its people.
///
/// # Errors
/// [`DbError`] of the write.
pub async fn open_thread(
    tx: &mut Tx,
    new: InternalThreadId,
    conversation_id: ConversationId,
    agent: &Subject,
    now: Timestamp,
) -> Result<InternalThread, DbError> {
    let row: ThreadRow = tx
        .query(
            "INSERT INTO internal_threads (org_id, internal_thread_id, conversation_id, agent_subject, \
             last_message_time, create_time) VALUES ($1, $2, $3, $4, $5, $5) \
             ON CONFLICT (org_id, conversation_id, agent_subject) \
             DO UPDATE SET last_message_time = excluded.last_message_time \
             RETURNING internal_thread_id, conversation_id, agent_subject, last_message_time, create_time",
        )
        .bind(new)
        .bind(conversation_id)
        .bind(agent)
        .bind(now)
        .fetch_one(tx)
        .await?;
    Ok(row.into())
}

/// Notes a message of this time in a thread. Without its people.
///
/// # Errors
/// [`DbError`] of the write, [`DbError::NoRow`] if there is no such thread.
pub async fn continue_thread(
    tx: &mut Tx,
    id: InternalThreadId,
    now: Timestamp,
) -> Result<InternalThread, DbError> {
    let row: ThreadRow = tx
        .query(
            "UPDATE internal_threads SET last_message_time = $3 WHERE org_id = $1 AND internal_thread_id = $2 \
             RETURNING internal_thread_id, conversation_id, agent_subject, last_message_time, create_time",
        )
        .bind(id)
        .bind(now)
        .fetch_one(tx)
        .await?;
    Ok(row.into())
}

/// The thread of an agent on a conversation.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn find_thread_of(
    tx: &mut Tx,
    conversation_id: ConversationId,
    agent: &Subject,
) -> Result<Option<InternalThreadId>, DbError> {
    tx.query(
        "SELECT internal_thread_id FROM internal_threads \
         WHERE org_id = $1 AND conversation_id = $2 AND agent_subject = $3",
    )
    .bind(conversation_id)
    .bind(agent)
    .fetch_optional_value(tx)
    .await
}

/// The thread, if it is about this conversation and within sight.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn find_visible_thread(
    tx: &mut Tx,
    sight: &Sight,
    conversation_id: ConversationId,
    id: InternalThreadId,
) -> Result<Option<InternalThreadId>, DbError> {
    let mut sql = "SELECT t.internal_thread_id FROM internal_threads t \
                   WHERE t.org_id = $1 AND t.conversation_id = $2 AND t.internal_thread_id = $3"
        .to_owned();
    if sight.only_of().is_some() {
        sql.push_str(
            " AND EXISTS (SELECT 1 FROM internal_people p WHERE p.org_id = t.org_id \
             AND p.internal_thread_id = t.internal_thread_id AND p.subject = $4)",
        );
    }
    let query = tx.query_dynamic(sql).bind(conversation_id).bind(id);
    query.bind_all(sight.only_of()).fetch_optional_value(tx).await
}

/// These threads, in no order, without their people.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_threads(tx: &mut Tx, ids: &[InternalThreadId]) -> Result<Vec<InternalThread>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT internal_thread_id, conversation_id, agent_subject, last_message_time, create_time \
         FROM internal_threads WHERE org_id = $1 AND internal_thread_id IN {}",
        db::rows(2, 1, ids.len())
    );
    let rows: Vec<ThreadRow> = tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_all(tx).await?;
    Ok(rows.into_iter().map(InternalThread::from).collect())
}
