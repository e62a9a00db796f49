//! The time of a conversation's latest internal message. Its row is what writers of the conversation wait for.

use db::{DbError, Engine, Tx};
use kernel::{ConversationId, Timestamp};

/// The time of the next message: now, or as soon after the latest one as can be told. Others who write on the conversation
/// wait for the end of this transaction, so that times grow in the order of commits.
///
/// # Errors
/// [`DbError`] of the write.
pub async fn next_time(tx: &mut Tx, id: ConversationId, now: Timestamp) -> Result<Timestamp, DbError> {
    tx.query(
        "INSERT INTO internal_conversations (org_id, conversation_id, last_message_time) VALUES ($1, $2, $3) \
         ON CONFLICT (org_id, conversation_id) DO UPDATE SET last_message_time = \
         CASE WHEN internal_conversations.last_message_time < excluded.last_message_time \
         THEN excluded.last_message_time ELSE internal_conversations.last_message_time + 1 END \
         RETURNING last_message_time",
    )
    .bind(id)
    .bind(now)
    .fetch_value(tx)
    .await
}

/// The time of the latest message, if there is one; nobody writes another before this transaction ends.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn lock_latest_time(tx: &mut Tx, id: ConversationId) -> Result<Option<Timestamp>, DbError> {
    let sql = match tx.engine() {
        // The only writer there is holds the whole database already.
        Engine::Sqlite => {
            "SELECT last_message_time FROM internal_conversations WHERE org_id = $1 AND conversation_id = $2"
        }
        Engine::Postgres => {
            "SELECT last_message_time FROM internal_conversations WHERE org_id = $1 AND conversation_id = $2 \
             FOR UPDATE"
        }
    };
    tx.query(sql).bind(id).fetch_optional_value(tx).await
}
