//! Agents whom a workflow names.

use db::{DbError, Tx};
use kernel::{AgentId, ConversationId, Timestamp};

use super::loads::{CAPACITY, TAKEN};
use crate::domain::load::Load;

/// Counts a conversation for an agent, if it is within their capacity; says whether it was. Their row is locked then. What is reserved
/// for an offer of the same conversation is in nobody's way.
pub async fn give_within_capacity(
    tx: &mut Tx,
    agent: AgentId,
    conversation: ConversationId,
    load: Load,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = format!(
        "UPDATE loads AS l SET open_count = l.open_count + $3, extra_units = l.extra_units + $4, last_assign_time = $5
         FROM (SELECT a.agent_id, {CAPACITY} AS capacity FROM agents a
             LEFT JOIN settings s ON s.org_id = a.org_id WHERE a.org_id = $1 AND a.agent_id = $2) AS v
         WHERE l.org_id = $1 AND l.agent_id = v.agent_id
             AND (v.capacity = 0 OR {TAKEN} + $6 <= v.capacity + COALESCE((SELECT o.units FROM offers o
                 WHERE o.org_id = $1 AND o.conversation_id = $7 AND o.agent_id = $2 AND o.state = 'OPEN'), 0))"
    );
    let counted = tx
        .query_dynamic(sql)
        .bind(agent)
        .bind(load.conversations)
        .bind(load.units - load.conversations)
        .bind(now)
        .bind(load.units)
        .bind(conversation)
        .execute(tx)
        .await?;
    Ok(counted == 1)
}
