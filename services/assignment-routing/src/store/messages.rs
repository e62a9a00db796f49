//! Customer-facing messages.

use db::{DbError, Tx};
use kernel::{ConversationId, MessageId, Role, Subject, Timestamp};

use super::history::direction;
use super::unreadable;
use crate::domain::history::{Edge, Order};
use crate::domain::message::{Author, Direction, Message};

const COLUMNS: &str =
    "message_id, conversation_id, position, channel, external_id, direction, text, author_subject,
     author_role, author_name, sent_time, create_time";

#[derive(db::FromRow)]
struct MessageRow {
    message_id: MessageId,
    conversation_id: ConversationId,
    position: i64,
    channel: String,
    external_id: String,
    direction: String,
    text: String,
    author_subject: Option<Subject>,
    author_role: Option<String>,
    author_name: Option<String>,
    sent_time: Timestamp,
    create_time: Timestamp,
}

impl MessageRow {
    fn message(self) -> Result<Message, DbError> {
        let author = match (self.author_subject, self.author_role) {
            (Some(subject), Some(role)) => Some(Author {
                subject,
                role: Role::parse(&role).map_err(|_| unreadable("messages.author_role"))?,
                display_name: self.author_name.unwrap_or_default(),
            }),
            _ => None,
        };
        Ok(Message {
            id: self.message_id,
            conversation: self.conversation_id,
            position: self.position,
            channel: self.channel,
            external_id: self.external_id,
            direction: Direction::read(&self.direction).ok_or_else(|| unreadable("messages.direction"))?,
            text: self.text,
            author,
            sent_time: self.sent_time,
            create_time: self.create_time,
        })
    }
}

/// Records a message; a unique violation of `messages` on `external_id` says that it is known.
pub async fn insert_message(tx: &mut Tx, message: &Message) -> Result<(), DbError> {
    let author = message.author.as_ref();
    tx.query(
        "INSERT INTO messages (org_id, conversation_id, position, message_id, channel, external_id, direction, text,
             author_subject, author_role, author_name, sent_time, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(message.conversation)
    .bind(message.position)
    .bind(message.id)
    .bind(message.channel.as_str())
    .bind(message.external_id.as_str())
    .bind(message.direction.as_str())
    .bind(message.text.as_str())
    .bind(author.map(|author| author.subject.as_str()))
    .bind(author.map(|author| author.role.as_str()))
    .bind(author.map(|author| author.display_name.as_str()))
    .bind(message.sent_time)
    .bind(message.create_time)
    .execute(tx)
    .await
    .map(drop)
}

/// The message of a channel with this external id.
pub async fn find_message(tx: &mut Tx, channel: &str, external_id: &str) -> Result<Option<Message>, DbError> {
    let sql =
        format!("SELECT {COLUMNS} FROM messages WHERE org_id = $1 AND channel = $2 AND external_id = $3");
    let row: Option<MessageRow> =
        tx.query_dynamic(sql).bind(channel).bind(external_id).fetch_optional(tx).await?;
    row.map(MessageRow::message).transpose()
}

/// The messages of a conversation behind a position, oldest first.
pub async fn list_messages(
    tx: &mut Tx,
    conversation: ConversationId,
    after: i64,
    limit: i64,
) -> Result<Vec<Message>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE org_id = $1 AND conversation_id = $2 AND position > $3
         ORDER BY position LIMIT $4"
    );
    let rows: Vec<MessageRow> =
        tx.query_dynamic(sql).bind(conversation).bind(after).bind(limit).fetch_all(tx).await?;
    rows.into_iter().map(MessageRow::message).collect()
}

/// The messages of a conversation behind a time and id, at most `limit`, in the order in which they were recorded.
pub async fn list_in_time(
    tx: &mut Tx,
    conversation: ConversationId,
    order: Order,
    edge: Edge,
    limit: i64,
) -> Result<Vec<Message>, DbError> {
    let (sign, direction) = direction(order);
    let sql = format!(
        "SELECT {COLUMNS} FROM messages
         WHERE org_id = $1 AND conversation_id = $2 AND (create_time, message_id) {sign} ($3, $4)
         ORDER BY create_time{direction}, message_id{direction} LIMIT $5"
    );
    let query = tx.query_dynamic(sql).bind(conversation).bind(edge.time).bind(edge.id).bind(limit);
    let rows: Vec<MessageRow> = query.fetch_all(tx).await?;
    rows.into_iter().map(MessageRow::message).collect()
}
