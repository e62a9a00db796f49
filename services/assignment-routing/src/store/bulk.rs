//! Many conversations in one statement, for use cases that change several at once.

use std::collections::HashMap;

use db::{DbError, Tx};
use kernel::{AgentId, ConversationId, TeamId, Timestamp};

use super::conversations::{COLUMNS, ConversationRow, TABLES, bind_state};
use super::{agents, list, locks};
use crate::domain::conversation::Conversation;

/// Reads conversations that are about to change, in the order of their ids; those the organization does not have are left out.
pub async fn lock_conversations(tx: &mut Tx, ids: &[ConversationId]) -> Result<Vec<Conversation>, DbError> {
    let lock = locks::conversations_for_update(tx);
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE c.org_id = $1 AND c.conversation_id IN {} ORDER BY c.conversation_id{lock}",
        list(2, ids.len())
    );
    let mut rows: Vec<ConversationRow> =
        tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_all(tx).await?;
    // Where PostgreSQL had to wait for a lock, it may have joined the row with nobody.
    let unknown: Vec<AgentId> = rows.iter().filter_map(ConversationRow::unknown_assignee).collect();
    let people: HashMap<AgentId, _> =
        agents::list_people(tx, &unknown).await?.into_iter().map(|it| (it.agent, it)).collect();
    for row in &mut rows {
        if let Some(person) = row.unknown_assignee().and_then(|agent| people.get(&agent)) {
            row.set_assignee(person.clone());
        }
    }
    rows.into_iter().map(ConversationRow::conversation).collect()
}

/// Writes changed conversations whose rows still have their versions, and gives each the next; says how many had.
pub async fn save_conversations(tx: &mut Tx, all: &[&Conversation]) -> Result<u64, DbError> {
    if all.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "UPDATE conversations AS c SET version = c.version + 1, subject = v.column3, tags = v.column4,
             priority = v.column5, status = v.column6, assignee_id = v.column7, team_id = v.column8,
             waiting_since = v.column9, first_reply_time = v.column10, last_activity_time = v.column11,
             snooze_until = v.column12, resolve_time = v.column13, message_count = v.column14,
             last_inbound_position = v.column15, last_entry_time = v.column16, sharing = v.column17, sla = v.column18
         FROM (VALUES {}) AS v
         WHERE c.org_id = $1 AND c.conversation_id = v.column1 AND c.version = v.column2",
        db::rows(2, all.len(), 18)
    );
    let query = all.iter().fold(tx.query_dynamic(sql), |query, it| bind_state(query, it));
    query.execute(tx).await
}

/// Lets conversations leave their queues, where they are in one; as [`super::queue::leave`].
pub async fn leave_queues(
    tx: &mut Tx,
    conversations: &[ConversationId],
) -> Result<Vec<ConversationId>, DbError> {
    if conversations.is_empty() {
        return Ok(Vec::new());
    }
    super::queue::leave(tx, conversations).await
}

/// In whose queues conversations wait; those that wait in none are left out.
pub async fn list_queues(
    tx: &mut Tx,
    conversations: &[ConversationId],
) -> Result<Vec<(ConversationId, TeamId)>, DbError> {
    let sql = format!(
        "SELECT conversation_id, team_id FROM queue WHERE org_id = $1 AND conversation_id IN {}",
        list(2, conversations.len())
    );
    tx.query_dynamic(sql).bind_all(conversations.iter().copied()).fetch_all(tx).await
}

/// The teams that conversations belong to, each once.
pub async fn list_teams(tx: &mut Tx, conversations: &[ConversationId]) -> Result<Vec<TeamId>, DbError> {
    let sql = format!(
        "SELECT DISTINCT team_id FROM conversations
         WHERE org_id = $1 AND team_id IS NOT NULL AND conversation_id IN {}",
        list(2, conversations.len())
    );
    tx.query_dynamic(sql).bind_all(conversations.iter().copied()).fetch_values(tx).await
}

/// Ends the open assignments of conversations, where there are some.
pub async fn end_assignments(
    tx: &mut Tx,
    conversations: &[ConversationId],
    now: Timestamp,
) -> Result<(), DbError> {
    if conversations.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE assignments SET end_time = $2 WHERE org_id = $1 AND end_time IS NULL AND conversation_id IN {}",
        list(3, conversations.len())
    );
    tx.query_dynamic(sql).bind(now).bind_all(conversations.iter().copied()).execute(tx).await.map(drop)
}

/// Sets the times at which conversations come back.
pub async fn save_snoozes(tx: &mut Tx, all: &[(ConversationId, Timestamp)]) -> Result<(), DbError> {
    if all.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO snoozes (org_id, conversation_id, until) VALUES {}
         ON CONFLICT (org_id, conversation_id) DO UPDATE SET until = excluded.until",
        db::org_rows(all.len(), 2)
    );
    let query = all
        .iter()
        .fold(tx.query_dynamic(sql), |query, (conversation, until)| query.bind(*conversation).bind(*until));
    query.execute(tx).await.map(drop)
}

/// They are not put aside any more.
pub async fn delete_snoozes(tx: &mut Tx, conversations: &[ConversationId]) -> Result<(), DbError> {
    if conversations.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM snoozes WHERE org_id = $1 AND conversation_id IN {}",
        list(2, conversations.len())
    );
    tx.query_dynamic(sql).bind_all(conversations.iter().copied()).execute(tx).await.map(drop)
}
