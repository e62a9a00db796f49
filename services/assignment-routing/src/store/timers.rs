//! Timers: what somebody has to look at, and when.
//!
//! Whoever sets a timer of a conversation holds the conversation's lock, and whoever claims one does: so nobody waits for a timer
//! while another waits for the conversation.

use db::{DbError, Engine, Tx};
use kernel::{OrgId, Timestamp};
use uuid::Uuid;

use super::{list, locks, unreadable};
use crate::domain::timer::{Timer, TimerKind};

/// Sets timers, each in place of the one before it. Of one subject, kind and rule there is one at most among them.
pub async fn set(tx: &mut Tx, timers: &[Timer]) -> Result<(), DbError> {
    if timers.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO timers (org_id, subject_id, kind, rule, since, due_time) VALUES {}
         ON CONFLICT (org_id, subject_id, kind, rule) DO UPDATE SET since = excluded.since, due_time = excluded.due_time",
        db::org_rows(timers.len(), 5)
    );
    let mut query = tx.query_dynamic(sql);
    for it in timers {
        query =
            query.bind(it.subject).bind(it.kind.as_str()).bind(it.rule.as_str()).bind(it.since).bind(it.due);
    }
    query.execute(tx).await.map(drop)
}

#[derive(db::FromRow)]
struct TimerRow {
    subject_id: Uuid,
    kind: String,
    rule: String,
    since: Timestamp,
    due_time: Timestamp,
}

impl TimerRow {
    fn timer(self) -> Result<Timer, DbError> {
        Ok(Timer {
            subject: self.subject_id,
            kind: TimerKind::read(&self.kind).ok_or_else(|| unreadable("timers.kind"))?,
            rule: self.rule,
            since: self.since,
            due: self.due_time,
        })
    }
}

#[derive(db::FromRow)]
struct DueRow {
    org_id: OrgId,
    #[sqlx(flatten)]
    timer: TimerRow,
}

/// What is due, of every organization, longest first (system scope). Kinds that only a newer program knows are left to it.
pub async fn list_due(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<(OrgId, Timer)>, DbError> {
    let sql = format!(
        "SELECT org_id, subject_id, kind, rule, since, due_time FROM timers
         WHERE due_time <= $1 AND kind IN {} ORDER BY due_time LIMIT $2",
        list(3, TimerKind::ALL.len())
    );
    let query = tx.query_dynamic(sql).bind(now).bind(limit).bind_all(TimerKind::ALL.map(TimerKind::as_str));
    let rows: Vec<DueRow> = query.fetch_all(tx).await?;
    rows.into_iter().map(|DueRow { org_id, timer }| Ok((org_id, timer.timer()?))).collect()
}

/// Locks those of these conversations that nobody else holds, and says which. Timers of the others come up again.
pub async fn lock_subjects(tx: &mut Tx, conversations: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    let sql = format!(
        "SELECT c.conversation_id FROM conversations c WHERE c.org_id = $1 AND c.conversation_id IN {}
         ORDER BY c.conversation_id{}",
        list(2, conversations.len()),
        locks::free_conversations_for_update(tx)
    );
    tx.query_dynamic(sql).bind_all(conversations.iter().copied()).fetch_values(tx).await
}

/// Takes those of these timers that still are due, and that nobody else takes at this moment: a timer fires once. What came of one
/// has to be in this transaction.
pub async fn claim(tx: &mut Tx, timers: &[Timer]) -> Result<Vec<Timer>, DbError> {
    if timers.is_empty() {
        return Ok(Vec::new());
    }
    let now = tx.now().await?;
    let lock = match tx.engine() {
        Engine::Sqlite => "",
        Engine::Postgres => " FOR UPDATE OF t SKIP LOCKED",
    };
    let sql = format!(
        "DELETE FROM timers WHERE org_id = $1 AND (subject_id, kind, rule) IN (
             SELECT t.subject_id, t.kind, t.rule FROM timers t
             WHERE t.org_id = $1 AND t.due_time <= $2 AND (t.subject_id, t.kind, t.rule) IN (VALUES {}){lock})
         RETURNING subject_id, kind, rule, since, due_time",
        db::rows(3, timers.len(), 3)
    );
    let mut query = tx.query_dynamic(sql).bind(now);
    for it in timers {
        query = query.bind(it.subject).bind(it.kind.as_str()).bind(it.rule.as_str());
    }
    let rows: Vec<TimerRow> = query.fetch_all(tx).await?;
    rows.into_iter().map(TimerRow::timer).collect()
}

/// Forgets every timer of these.
pub async fn forget(tx: &mut Tx, subjects: &[Uuid]) -> Result<(), DbError> {
    if subjects.is_empty() {
        return Ok(());
    }
    let sql = format!("DELETE FROM timers WHERE org_id = $1 AND subject_id IN {}", list(2, subjects.len()));
    tx.query_dynamic(sql).bind_all(subjects.iter().copied()).execute(tx).await.map(drop)
}
