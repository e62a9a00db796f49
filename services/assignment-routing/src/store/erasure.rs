//! What an erasure removes: conversations of erased contacts, then what is left of them in other tables.

use db::{DbError, Tx};
use erasure::ErasureId;
use kernel::{AgentId, ContactId, ConversationId};

use super::{list, locks};

/// A conversation that is about to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, db::FromRow)]
pub struct Doomed {
    /// Which.
    pub conversation_id: ConversationId,
    /// Who has it and counts it among their open ones.
    pub loaded_agent_id: Option<AgentId>,
    /// What it costs them.
    pub units: i64,
}

/// Conversations of these contacts, at most `limit`, locked.
pub async fn lock_conversations(
    tx: &mut Tx,
    contacts: &[ContactId],
    limit: i64,
) -> Result<Vec<Doomed>, DbError> {
    let sql = format!(
        "SELECT c.conversation_id, CASE WHEN c.status = 'OPEN' THEN c.assignee_id END AS loaded_agent_id, c.units
         FROM conversations c WHERE c.org_id = $1 AND c.contact_id IN {}
         ORDER BY c.conversation_id LIMIT $2{}",
        list(3, contacts.len()),
        locks::conversations_for_update(tx)
    );
    tx.query_dynamic(sql).bind(limit).bind_all(contacts.iter().copied()).fetch_all(tx).await
}

/// Removes these conversations. What names them elsewhere is removed by [`remove_leftovers`].
pub async fn remove_conversations(tx: &mut Tx, ids: &[ConversationId]) -> Result<u64, DbError> {
    let sql =
        format!("DELETE FROM conversations WHERE org_id = $1 AND conversation_id IN {}", list(2, ids.len()));
    tx.query_dynamic(sql).bind_all(ids.iter().copied()).execute(tx).await
}

/// Removes these conversations from among those that are put aside.
pub async fn remove_snoozes(tx: &mut Tx, ids: &[ConversationId]) -> Result<u64, DbError> {
    let sql = format!("DELETE FROM snoozes WHERE org_id = $1 AND conversation_id IN {}", list(2, ids.len()));
    tx.query_dynamic(sql).bind_all(ids.iter().copied()).execute(tx).await
}

/// A table with rows of conversations that are gone.
#[derive(Debug, Clone, Copy)]
pub struct Leftover {
    /// What its rows are called in the report; nothing for what is not worth telling.
    pub kind: Option<&'static str>,
    table: &'static str,
    /// Its key, as `t`.
    key: &'static str,
}

/// Every table that names conversations.
pub const LEFTOVERS: [Leftover; 9] = [
    Leftover { kind: Some("messages"), table: "messages", key: "t.conversation_id, t.position" },
    Leftover { kind: Some("decisions"), table: "decisions", key: "t.conversation_id, t.decision_id" },
    Leftover { kind: Some("assignments"), table: "assignments", key: "t.conversation_id, t.decision_id" },
    Leftover { kind: Some("read_cursors"), table: "read_cursors", key: "t.conversation_id, t.subject" },
    Leftover { kind: Some("mentions"), table: "mentions", key: "t.conversation_id, t.subject" },
    Leftover {
        kind: Some("conversation_events"),
        table: "conversation_events",
        key: "t.conversation_id, t.event_time, t.event_id",
    },
    Leftover {
        kind: Some("sla_breaches"),
        table: "sla_breaches",
        key: "t.conversation_id, t.metric, t.start_time",
    },
    Leftover { kind: Some("offers"), table: "offers", key: "t.org_id, t.offer_id" },
    Leftover { kind: None, table: "note_counts", key: "t.conversation_id, t.org_id" },
];

/// Removes rows of conversations that the erasure removed, at most `limit`.
pub async fn remove_leftovers(
    tx: &mut Tx,
    erasure: ErasureId,
    of: Leftover,
    limit: i64,
) -> Result<u64, DbError> {
    let Leftover { table, key, .. } = of;
    let columns = key.replace("t.", "");
    // Looked for once: a subquery PostgreSQL may ask again for every row of the table.
    let sql = format!(
        "WITH doomed AS MATERIALIZED (
             SELECT {key} FROM erased e JOIN {table} t ON t.org_id = e.org_id AND t.conversation_id = e.id
             WHERE e.org_id = $1 AND e.erasure_id = $2 AND e.kind = 'conversation' LIMIT $3)
         DELETE FROM {table} WHERE org_id = $1 AND ({columns}) IN (SELECT {columns} FROM doomed)"
    );
    tx.query_dynamic(sql).bind(erasure).bind(limit).execute(tx).await
}

/// Forgets first answers to requests that hold a conversation of this contact.
pub async fn forget_answers(tx: &mut Tx, contact: ContactId) -> Result<u64, DbError> {
    tx.query("DELETE FROM retry_keys WHERE org_id = $1 AND answer LIKE $2")
        .bind(format!("%{contact}%"))
        .execute(tx)
        .await
}
