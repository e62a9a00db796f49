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

/// A snooze whose time has come.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct Due {
    /// The organization.
    pub org_id: OrgId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// When its time came.
    pub until: Timestamp,
}

/// Whose time has come, of every organization (system scope), longest first, behind one that was listed before.
pub async fn list_due(
    tx: &mut Tx,
    now: Timestamp,
    behind: Option<&Due>,
    limit: i64,
) -> Result<Vec<Due>, DbError> {
    let Some(behind) = behind else {
        return tx
            .query(
                "SELECT org_id, conversation_id, until FROM snoozes WHERE until <= $1
                 ORDER BY until, org_id, conversation_id LIMIT $2",
            )
            .bind(now)
            .bind(limit)
            .fetch_all(tx)
            .await;
    };
    tx.query(
        "SELECT org_id, conversation_id, until FROM snoozes
         WHERE until <= $1 AND (until, org_id, conversation_id) > ($3, $4, $5)
         ORDER BY until, org_id, conversation_id LIMIT $2",
    )
    .bind(now)
    .bind(limit)
    .bind(behind.until)
    .bind(&behind.org_id)
    .bind(behind.conversation_id)
    .fetch_all(tx)
    .await
}
