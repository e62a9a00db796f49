//! Work whose customers wait, and who has to know that they do (R13).

use std::collections::BTreeMap;

use db::{DbError, Tx};
use kernel::{AgentId, ConversationId, Subject, TeamId, Timestamp};

use super::list;

/// Open conversations of these agents whose customers wait for an answer, with their teams; at most `limit`.
pub async fn list_unanswered(
    tx: &mut Tx,
    agents: &[AgentId],
    limit: i64,
) -> Result<Vec<(ConversationId, Option<TeamId>)>, DbError> {
    if agents.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT conversation_id, team_id FROM conversations
         WHERE org_id = $1 AND status = 'OPEN' AND waiting_since IS NOT NULL AND assignee_id IN {} LIMIT $2",
        list(3, agents.len())
    );
    tx.query_dynamic(sql).bind(limit).bind_all(agents.iter().copied()).fetch_all(tx).await
}

/// Those of these agents who are offline, as it was last noted, and since when.
pub async fn list_offline(tx: &mut Tx, agents: &[AgentId]) -> Result<Vec<(AgentId, Timestamp)>, DbError> {
    if agents.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT agent_id, change_time FROM presence
         WHERE org_id = $1 AND availability = 'OFFLINE' AND agent_id IN {}",
        list(2, agents.len())
    );
    tx.query_dynamic(sql).bind_all(agents.iter().copied()).fetch_all(tx).await
}

/// Agents of the organization who are offline, as it was last noted, with open conversations whose customers wait.
pub async fn list_awaited(tx: &mut Tx) -> Result<Vec<AgentId>, DbError> {
    tx.query(
        "SELECT p.agent_id FROM presence p WHERE p.org_id = $1 AND p.availability = 'OFFLINE'
             AND EXISTS (SELECT 1 FROM conversations c WHERE c.org_id = p.org_id AND c.assignee_id = p.agent_id
                 AND c.status = 'OPEN' AND c.waiting_since IS NOT NULL)",
    )
    .fetch_values(tx)
    .await
}

/// The handles of teams.
pub async fn list_handles(tx: &mut Tx, teams: &[TeamId]) -> Result<BTreeMap<TeamId, String>, DbError> {
    if teams.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT team_id, handle FROM teams WHERE org_id = $1 AND team_id IN {}",
        list(2, teams.len())
    );
    let rows: Vec<(TeamId, String)> =
        tx.query_dynamic(sql).bind_all(teams.iter().copied()).fetch_all(tx).await?;
    Ok(rows.into_iter().collect())
}

/// Supervisors and admins of the organization, by the `sub` of their tokens; at most `limit`.
pub async fn list_supervisors(tx: &mut Tx, limit: i64) -> Result<Vec<Subject>, DbError> {
    tx.query(
        "SELECT subject FROM agents WHERE org_id = $1 AND role IN ('supervisor', 'admin') ORDER BY agent_id LIMIT $2",
    )
    .bind(limit)
    .fetch_values(tx)
    .await
}
