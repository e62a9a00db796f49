//! Who had which conversation from when to when.

use std::collections::HashMap;

use db::{DbError, Tx};
use kernel::{AgentId, ContactId, ConversationId, TeamId, Timestamp};

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

/// Conversations of a contact that are searched for their last agent: the latest ones.
const LOOKED_BACK: i64 = 20;

/// Which member of the team last had a conversation of each of these contacts, where one had.
pub async fn list_last_agents(
    tx: &mut Tx,
    team: TeamId,
    contacts: &[ContactId],
) -> Result<HashMap<ContactId, AgentId>, DbError> {
    let sql = format!(
        "SELECT v.column1 AS contact_id, (
             SELECT a.agent_id FROM (
                 SELECT c.conversation_id FROM conversations c WHERE c.org_id = $1 AND c.contact_id = v.column1
                 ORDER BY c.last_activity_time DESC, c.conversation_id DESC LIMIT {LOOKED_BACK}) r
             JOIN assignments a ON a.org_id = $1 AND a.conversation_id = r.conversation_id
             JOIN team_members m ON m.org_id = $1 AND m.team_id = $2 AND m.agent_id = a.agent_id
             ORDER BY a.assign_time DESC, a.decision_id DESC LIMIT 1) AS agent_id
         FROM (VALUES {}) AS v",
        db::rows(3, contacts.len(), 1)
    );
    let found: Vec<(ContactId, Option<AgentId>)> =
        tx.query_dynamic(sql).bind(team).bind_all(contacts.iter().copied()).fetch_all(tx).await?;
    Ok(found.into_iter().filter_map(|(contact, agent)| Some((contact, agent?))).collect())
}
