//! The log of what changes in inboxes. Triggers write it, in the transaction of the change.

use std::time::Duration;

use db::{DbError, Engine, Tx};
use kernel::{AgentId, ConversationId, OrgId, TeamId, Timestamp};

use super::unreadable;
use crate::domain::conversation::Status;
use crate::domain::inbox_log::{Change, Changed, Place, Seen, Standing};

/// The log as a transaction sees it.
#[derive(Debug, Clone)]
pub struct Log {
    /// Which transactions are over.
    pub seen: Seen,
    /// Changes from before are forgotten.
    pub forgotten_before: Timestamp,
}

#[derive(db::FromRow)]
struct LogRow {
    snapshot: String,
    time: Timestamp,
    forgotten_before: Timestamp,
}

/// How far the log is. On SQLite each change is as a transaction of its own, and none is open: there is one writer.
pub async fn look(tx: &mut Tx) -> Result<Log, DbError> {
    let sql = match tx.engine() {
        Engine::Postgres => {
            "SELECT pg_current_snapshot()::text AS snapshot, inbox_time() AS time, COALESCE(
                 (SELECT l.forgotten_before FROM inbox_logs l WHERE l.org_id = $1), 0) AS forgotten_before"
        }
        Engine::Sqlite => {
            "SELECT ':' || (COALESCE(MAX(c.transaction_id), 0) + 1) || ':' AS snapshot,
                 CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS time, COALESCE(
                 (SELECT l.forgotten_before FROM inbox_logs l WHERE l.org_id = $1), 0) AS forgotten_before
             FROM inbox_changes c WHERE c.org_id = $1"
        }
    };
    let row: LogRow = tx.query(sql).fetch_one(tx).await?;
    let seen = Seen::read(&row.snapshot, row.time).ok_or_else(|| unreadable("snapshot"))?;
    Ok(Log { seen, forgotten_before: row.forgotten_before })
}

#[derive(db::FromRow)]
struct ChangeRow {
    transaction_id: i64,
    number: i64,
    conversation_id: Option<ConversationId>,
    subject: Option<String>,
    agent_id: Option<AgentId>,
    was_status: Option<String>,
    was_assignee_id: Option<AgentId>,
    was_team_id: Option<TeamId>,
    is_status: Option<String>,
    is_assignee_id: Option<AgentId>,
    is_team_id: Option<TeamId>,
}

impl ChangeRow {
    fn change(self) -> Result<Change, DbError> {
        let what = match (self.conversation_id, self.subject, self.agent_id) {
            (Some(id), Some(subject), _) => Changed::Reading { id, subject },
            (Some(id), None, Some(agent)) => Changed::Offer { id, agent },
            (Some(id), None, None) => Changed::Conversation {
                id,
                was: standing(self.was_status.as_deref(), self.was_assignee_id, self.was_team_id)?,
                is: standing(self.is_status.as_deref(), self.is_assignee_id, self.is_team_id)?,
            },
            (None, _, Some(agent)) => Changed::Teams(agent),
            (None, _, None) => return Err(unreadable("inbox_changes.agent_id")),
        };
        Ok(Change { transaction: self.transaction_id, number: self.number, what })
    }
}

fn standing(
    status: Option<&str>,
    assignee: Option<AgentId>,
    team: Option<TeamId>,
) -> Result<Option<Standing>, DbError> {
    let Some(status) = status else { return Ok(None) };
    let status = Status::read(status).ok_or_else(|| unreadable("inbox_changes.was_status"))?;
    Ok(Some(Standing { status, assignee, team }))
}

/// What a later look saw and a reader at this place has not read, at most `limit`, in the log's order.
pub async fn list_changes(
    tx: &mut Tx,
    place: &Place,
    until: &Seen,
    limit: i64,
) -> Result<Vec<Change>, DbError> {
    let (was_open, still_open) = (padded(&place.seen.open), padded(&until.open));
    let after = place.within.as_ref().map_or((0, 0), |within| (within.transaction, within.number));
    let first_open = 8;
    let first_still_open = first_open + was_open.len();
    let sql = format!(
        "SELECT transaction_id, number, conversation_id, subject, agent_id, was_status, was_assignee_id, was_team_id,
             is_status, is_assignee_id, is_team_id
         FROM inbox_changes
         WHERE org_id = $1 AND transaction_id >= $2 AND (transaction_id, number) > ($3, $4)
             AND (transaction_id >= $5{open}) AND transaction_id < $6{still_open}
         ORDER BY transaction_id, number LIMIT $7",
        open = among("OR transaction_id IN", first_open, was_open.len()),
        still_open = among("AND transaction_id NOT IN", first_still_open, still_open.len()),
    );
    let query = tx.query_dynamic(sql).bind(place.seen.first_unseen()).bind(after.0).bind(after.1);
    let query = query.bind(place.seen.end).bind(until.end).bind(limit).bind_all(was_open);
    let rows: Vec<ChangeRow> = query.bind_all(still_open).fetch_all(tx).await?;
    rows.into_iter().map(ChangeRow::change).collect()
}

/// As many as a power of two, the last repeated, so that there are few statements to prepare.
fn padded(transactions: &[i64]) -> Vec<i64> {
    let Some(last) = transactions.last() else { return Vec::new() };
    let mut padded = transactions.to_vec();
    padded.resize(transactions.len().next_power_of_two(), *last);
    padded
}

fn among(what: &str, first: usize, count: usize) -> String {
    if count == 0 { String::new() } else { format!(" {what} {}", super::list(first, count)) }
}

/// Organizations with changes from before so long ago, beside the newest (system scope). From one organization to the next, along the
/// log's key.
pub async fn list_stale(tx: &mut Tx, kept: Duration) -> Result<Vec<OrgId>, DbError> {
    let sql = format!(
        "WITH RECURSIVE orgs (org_id) AS (
             SELECT MIN(c.org_id) FROM inbox_changes c
             UNION ALL
             SELECT (SELECT MIN(c.org_id) FROM inbox_changes c WHERE c.org_id > o.org_id)
             FROM orgs o WHERE o.org_id IS NOT NULL)
         SELECT o.org_id FROM orgs o JOIN inbox_changes c ON c.org_id = o.org_id AND c.change_time < {now} - $1
             AND c.transaction_id = (SELECT MIN(f.transaction_id) FROM inbox_changes f WHERE f.org_id = o.org_id)
             AND c.transaction_id < (SELECT MAX(f.transaction_id) FROM inbox_changes f WHERE f.org_id = o.org_id)
         GROUP BY o.org_id",
        now = now(tx)
    );
    tx.query_dynamic(sql).bind(micros(kept)).fetch_values(tx).await
}

/// Notes that changes from before so long ago are forgotten. In the transaction that removes them.
pub async fn forget_before(tx: &mut Tx, kept: Duration) -> Result<(), DbError> {
    let sql = format!(
        "INSERT INTO inbox_logs (org_id, forgotten_before) VALUES ($1, {} - $2)
         ON CONFLICT (org_id) DO UPDATE SET forgotten_before = excluded.forgotten_before
         WHERE excluded.forgotten_before > inbox_logs.forgotten_before",
        now(tx)
    );
    tx.query_dynamic(sql).bind(micros(kept)).execute(tx).await.map(drop)
}

/// Removes changes that are forgotten, at most `limit`; says how many. The newest stays: on SQLite the next one is numbered after it.
pub async fn remove_forgotten(tx: &mut Tx, limit: i64) -> Result<u64, DbError> {
    tx.query(
        "WITH doomed AS MATERIALIZED (
             SELECT c.transaction_id, c.number FROM inbox_changes c
             JOIN inbox_logs l ON l.org_id = c.org_id AND c.change_time < l.forgotten_before
             WHERE c.org_id = $1 AND c.transaction_id < (
                 SELECT MAX(n.transaction_id) FROM inbox_changes n WHERE n.org_id = $1)
             ORDER BY c.transaction_id, c.number LIMIT $2)
         DELETE FROM inbox_changes WHERE org_id = $1 AND (transaction_id, number) IN (
             SELECT transaction_id, number FROM doomed)",
    )
    .bind(limit)
    .execute(tx)
    .await
}

/// The time with which changes are logged, by which alone they are compared: also where a test has a clock of its own.
fn now(tx: &Tx) -> &'static str {
    match tx.engine() {
        Engine::Postgres => "inbox_time()",
        Engine::Sqlite => "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
