//! Decisions, stored whole.

use db::{DbError, Json, Tx};
use kernel::{ConversationId, DecisionId};

use crate::domain::decision::Decision;

/// Stores decisions.
pub async fn insert_decisions(tx: &mut Tx, decisions: &[Decision]) -> Result<(), DbError> {
    if decisions.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO decisions (org_id, conversation_id, decision_id, decide_time, body) VALUES {}",
        db::org_rows(decisions.len(), 4)
    );
    let mut query = tx.query_dynamic(sql);
    for it in decisions {
        query = query.bind(it.conversation).bind(it.id).bind(it.decide_time).bind(Json(it));
    }
    query.execute(tx).await.map(drop)
}

/// A conversation's decisions before one, newest first.
pub async fn list_decisions(
    tx: &mut Tx,
    conversation: ConversationId,
    before: Option<DecisionId>,
    limit: i64,
) -> Result<Vec<Decision>, DbError> {
    let newest = DecisionId::from_uuid(uuid::Uuid::max());
    let bodies: Vec<Json<Decision>> = tx
        .query(
            "SELECT body FROM decisions WHERE org_id = $1 AND conversation_id = $2 AND decision_id < $3
             ORDER BY decision_id DESC LIMIT $4",
        )
        .bind(conversation)
        .bind(before.unwrap_or(newest))
        .bind(limit)
        .fetch_values(tx)
        .await?;
    Ok(bodies.into_iter().map(|body| body.0).collect())
}
