//! Targets that were missed.

use db::{DbError, Tx};
use kernel::{AgentId, ConversationId, EventId, Subject, TeamId, Timestamp};

use super::unreadable;
use crate::domain::agent::Person;
use crate::domain::sla::breach::{Breach, ShownBreach};
use crate::domain::sla::{Metric, SlaPolicyId, Under};

/// Writes down what was missed. What is there already stays: nothing is missed twice.
pub async fn insert_breaches(tx: &mut Tx, all: &[Breach]) -> Result<(), DbError> {
    if all.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO sla_breaches (org_id, conversation_id, metric, start_time, breach_id, sla_policy_id, policy_name,
             team_id, assignee_id, due_time, end_time) VALUES {}
         ON CONFLICT (org_id, conversation_id, metric, start_time) DO NOTHING",
        db::org_rows(all.len(), 10)
    );
    let mut query = tx.query_dynamic(sql);
    for it in all {
        query = query
            .bind(it.conversation)
            .bind(it.metric.as_str())
            .bind(it.start)
            .bind(it.id)
            .bind(it.policy.id)
            .bind(it.policy.name.as_str())
            .bind(it.team)
            .bind(it.assignee)
            .bind(it.due)
            .bind(it.end);
    }
    query.execute(tx).await.map(drop)
}

/// What was missed and has ended since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The conversation.
    pub conversation: ConversationId,
    /// What was measured.
    pub metric: Metric,
    /// From when on.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
}

/// Writes down that what was missed has ended.
pub async fn end_breaches(tx: &mut Tx, all: &[Ended]) -> Result<(), DbError> {
    if all.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE sla_breaches AS b SET end_time = v.column4 FROM (VALUES {}) AS v
         WHERE b.org_id = $1 AND b.conversation_id = v.column1 AND b.metric = v.column2 AND b.start_time = v.column3",
        db::rows(2, all.len(), 4)
    );
    let mut query = tx.query_dynamic(sql);
    for it in all {
        query = query.bind(it.conversation).bind(it.metric.as_str()).bind(it.start).bind(it.end);
    }
    query.execute(tx).await.map(drop)
}

/// Which of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of conversations that were this team's.
    pub team: Option<TeamId>,
    /// Only those that have not ended.
    pub open_only: bool,
}

/// The place of one in the list: when it was missed, and its id.
pub type Place = (Timestamp, EventId);

#[derive(db::FromRow)]
struct BreachRow {
    breach_id: EventId,
    conversation_id: ConversationId,
    metric: String,
    sla_policy_id: SlaPolicyId,
    policy_name: String,
    team_id: Option<TeamId>,
    assignee_id: Option<AgentId>,
    subject: Option<Subject>,
    username: Option<String>,
    display_name: Option<String>,
    start_time: Timestamp,
    due_time: Timestamp,
    end_time: Option<Timestamp>,
}

impl BreachRow {
    fn breach(self) -> Result<ShownBreach, DbError> {
        let assignee = self.assignee_id.zip(self.subject).map(|(agent, subject)| Person {
            agent,
            subject,
            username: self.username.unwrap_or_default(),
            display_name: self.display_name.unwrap_or_default(),
        });
        let breach = Breach {
            id: self.breach_id,
            conversation: self.conversation_id,
            metric: Metric::read(&self.metric).ok_or_else(|| unreadable("sla_breaches.metric"))?,
            policy: Under { id: self.sla_policy_id, name: self.policy_name },
            team: self.team_id,
            assignee: self.assignee_id,
            start: self.start_time,
            due: self.due_time,
            end: self.end_time,
        };
        Ok(ShownBreach { breach, assignee })
    }
}

/// Targets that were missed before a place, the latest first.
pub async fn list_breaches(
    tx: &mut Tx,
    filter: Filter,
    before: Option<Place>,
    limit: i64,
) -> Result<Vec<ShownBreach>, DbError> {
    let latest = (Timestamp::from_micros(i64::MAX), EventId::from_uuid(uuid::Uuid::max()));
    let (due, id) = before.unwrap_or(latest);
    let open = if filter.open_only { " AND b.end_time IS NULL" } else { "" };
    let team = if filter.team.is_some() { " AND b.team_id = $5" } else { "" };
    let sql = format!(
        "SELECT b.breach_id, b.conversation_id, b.metric, b.sla_policy_id, b.policy_name, b.team_id, b.assignee_id,
             a.subject, a.username, a.display_name, b.start_time, b.due_time, b.end_time
         FROM sla_breaches b LEFT JOIN agents a ON a.org_id = b.org_id AND a.agent_id = b.assignee_id
         WHERE b.org_id = $1 AND (b.due_time, b.breach_id) < ($2, $3){open}{team}
         ORDER BY b.due_time DESC, b.breach_id DESC LIMIT $4"
    );
    let query = tx.query_dynamic(sql).bind(due).bind(id).bind(limit).bind_all(filter.team);
    let rows: Vec<BreachRow> = query.fetch_all(tx).await?;
    rows.into_iter().map(BreachRow::breach).collect()
}
