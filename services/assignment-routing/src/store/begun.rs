//! Conversations by when they began, each with its first message.

use db::{DbError, Tx};
use kernel::ConversationId;

use super::conversations::{COLUMNS, ConversationRow, TABLES};
use crate::domain::begun::Begun;
use crate::domain::conversation::Conversation;

#[derive(db::FromRow)]
struct BegunRow {
    #[sqlx(flatten)]
    conversation: ConversationRow,
    text: Option<String>,
}

/// Conversations that began in a stretch of time, behind one of them, oldest first, and the text each began with; without those of
/// blocked contacts, which were born resolved, a microsecond after they began. Ids carry the time they were made at, so that the key
/// finds them.
pub async fn list_begun(
    tx: &mut Tx,
    begun: Begun,
    after: Option<ConversationId>,
    limit: i64,
) -> Result<Vec<(Conversation, String)>, DbError> {
    let first = after.map_or_else(|| begun.first_id(), |after| after.as_uuid());
    let sql = format!(
        "SELECT {COLUMNS}, m.text AS text FROM {TABLES}
         LEFT JOIN messages m ON m.org_id = c.org_id AND m.conversation_id = c.conversation_id AND m.position = 1
         WHERE c.org_id = $1 AND c.conversation_id > $2 AND c.conversation_id < $3
             AND c.create_time >= $4 AND c.create_time < $5
             AND NOT EXISTS (SELECT 1 FROM conversation_events e WHERE e.org_id = $1
                 AND e.conversation_id = c.conversation_id AND e.event_time <= c.create_time + 1
                 AND e.type = 'RESOLVED')
         ORDER BY c.conversation_id LIMIT $6"
    );
    let rows: Vec<BegunRow> = tx
        .query_dynamic(sql)
        .bind(first)
        .bind(begun.end_id())
        .bind(begun.from)
        .bind(begun.until)
        .bind(limit)
        .fetch_all(tx)
        .await?;
    rows.into_iter().map(|row| Ok((row.conversation.conversation()?, row.text.unwrap_or_default()))).collect()
}
