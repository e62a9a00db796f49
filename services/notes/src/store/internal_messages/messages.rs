//! What was written. Rows are only ever added.

use db::{DbError, Tx};
use kernel::{ConversationId, Role, Subject, Timestamp};

use crate::domain::internal_message::{InternalMessage, InternalMessageId, InternalThreadId, Sight};
use crate::domain::{Author, Body};

/// Who may see a message, behind the values which a statement has already.
const IN_THREAD: &str = " AND EXISTS (SELECT 1 FROM internal_people p WHERE p.org_id = m.org_id \
                         AND p.internal_thread_id = m.internal_thread_id AND p.subject = $";

#[derive(db::FromRow)]
pub(in crate::store) struct MessageRow {
    internal_message_id: InternalMessageId,
    internal_thread_id: InternalThreadId,
    conversation_id: ConversationId,
    author_subject: Subject,
    author_role: String,
    author_name: String,
    body: String,
    create_time: Timestamp,
}

impl TryFrom<MessageRow> for InternalMessage {
    type Error = DbError;

    fn try_from(row: MessageRow) -> Result<Self, DbError> {
        let role = Role::parse(&row.author_role)
            .map_err(|_| DbError::Corrupt("column author_role holds no role".to_owned()))?;
        Ok(Self {
            message_id: row.internal_message_id,
            thread_id: row.internal_thread_id,
            conversation_id: row.conversation_id,
            author: Author { subject: row.author_subject, role, display_name: row.author_name },
            body: Body::stored(row.body),
            create_time: row.create_time,
        })
    }
}

/// Adds a message.
///
/// # Errors
/// [`DbError`] of the insert.
pub async fn insert_message(tx: &mut Tx, message: &InternalMessage) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO internal_messages (org_id, internal_message_id, internal_thread_id, conversation_id, \
         author_subject, author_role, author_name, body, create_time) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(message.message_id)
    .bind(message.thread_id)
    .bind(message.conversation_id)
    .bind(&message.author.subject)
    .bind(message.author.role.as_str())
    .bind(message.author.display_name.as_str())
    .bind(message.body.as_str())
    .bind(message.create_time)
    .execute(tx)
    .await
    .map(drop)
}

/// Messages of a conversation within sight, of one thread if asked, oldest first, at most `limit` behind a time.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_messages(
    tx: &mut Tx,
    sight: &Sight,
    conversation_id: ConversationId,
    thread: Option<InternalThreadId>,
    behind: Timestamp,
    limit: i64,
) -> Result<Vec<InternalMessage>, DbError> {
    let mut sql = "SELECT m.internal_message_id, m.internal_thread_id, m.conversation_id, m.author_subject, \
                   m.author_role, m.author_name, m.body, m.create_time FROM internal_messages m \
                   WHERE m.org_id = $1 AND m.conversation_id = $2 AND m.create_time > $3"
        .to_owned();
    if thread.is_some() {
        sql.push_str(" AND m.internal_thread_id = $5");
    }
    if sight.only_of().is_some() {
        sql.push_str(IN_THREAD);
        sql.push_str(if thread.is_some() { "6)" } else { "5)" });
    }
    sql.push_str(" ORDER BY m.create_time LIMIT $4");
    let query = tx.query_dynamic(sql).bind(conversation_id).bind(behind).bind(limit);
    let rows: Vec<MessageRow> = query.bind_all(thread).bind_all(sight.only_of()).fetch_all(tx).await?;
    rows.into_iter().map(InternalMessage::try_from).collect()
}

/// When a message of a conversation was written, if it is within sight.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn find_time(
    tx: &mut Tx,
    sight: &Sight,
    conversation_id: ConversationId,
    id: InternalMessageId,
) -> Result<Option<Timestamp>, DbError> {
    let mut sql = "SELECT m.create_time FROM internal_messages m \
                   WHERE m.org_id = $1 AND m.conversation_id = $2 AND m.internal_message_id = $3"
        .to_owned();
    if sight.only_of().is_some() {
        sql.push_str(IN_THREAD);
        sql.push_str("4)");
    }
    let query = tx.query_dynamic(sql).bind(conversation_id).bind(id);
    query.bind_all(sight.only_of()).fetch_optional_value(tx).await
}
