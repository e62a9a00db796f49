//! When put-aside conversations come back.

use db::{DbError, Tx};
use kernel::{ConversationId, OrgId, Timestamp};

/// Sets the time at which a conversation comes back.
pub async fn save_snooze(tx: &mut Tx, conversation: ConversationId, until: Timestamp) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO snoozes (org_id, conversation_id, until) VALUES ($1, $2, $3)
         ON CONFLICT (org_id, conversation_id) DO UPDATE SET until = excluded.until",
    )
    .bind(conversation)
    .bind(until)
    .execute(tx)
    .await
    .map(drop)
}

/// It is not put aside any more.
pub async fn delete_snooze(tx: &mut Tx, conversation: ConversationId) -> Result<(), DbError> {
    tx.query("DELETE FROM snoozes WHERE org_id = $1 AND conversation_id = $2")
        .bind(conversation)
        .execute(tx)
        .await
        .map(drop)
}

/// Whose time has come, of every organization (system scope).
pub async fn list_due(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(OrgId, ConversationId)>, DbError> {
    tx.query("SELECT org_id, conversation_id FROM snoozes WHERE until <= $1 ORDER BY until LIMIT $2")
        .bind(now)
        .bind(limit)
        .fetch_all(tx)
        .await
}
