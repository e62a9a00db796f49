//! Who has which conversation, and how much that is.

use std::collections::BTreeMap;

use db::{DbError, Tx};
use kernel::{AgentId, ConversationId, Timestamp};

use crate::domain::batch::Given;

/// Writes who got what. The schema refuses a second open assignment of a conversation.
pub async fn insert_assignments(tx: &mut Tx, given: &[Given], now: Timestamp) -> Result<(), DbError> {
    let sql = format!(
        "INSERT INTO assignments (org_id, decision_id, conversation_id, agent_id, assign_time) VALUES {}",
        db::org_rows(given.len(), 4)
    );
    let mut query = tx.query_dynamic(sql);
    for it in given {
        query = query.bind(it.decision).bind(it.conversation).bind(it.agent).bind(now);
    }
    query.execute(tx).await.map(drop)
}

/// Ends the open assignment of a conversation, where there is one.
pub async fn end_assignment(
    tx: &mut Tx,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.query("UPDATE assignments SET end_time = $3 WHERE org_id = $1 AND conversation_id = $2 AND end_time IS NULL")
        .bind(conversation)
        .bind(now)
        .execute(tx)
        .await
        .map(drop)
}

/// Counts open conversations up and down. Several rows are locked in order before ([`super::locks::lock_loads`]).
pub async fn add_loads(tx: &mut Tx, loads: &BTreeMap<AgentId, i64>) -> Result<(), DbError> {
    if loads.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE loads AS l SET open_count = l.open_count + v.column2 FROM (VALUES {}) AS v
         WHERE l.org_id = $1 AND l.agent_id = v.column1",
        db::rows(2, loads.len(), 2)
    );
    let mut query = tx.query_dynamic(sql);
    for (agent, more) in loads {
        query = query.bind(*agent).bind(*more);
    }
    query.execute(tx).await.map(drop)
}
