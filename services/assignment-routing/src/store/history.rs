//! What happened to conversations. Rows are only ever added.

use db::{DbError, Tx};
use kernel::{AgentId, ConversationId, EventId, Role, Subject, TeamId, Timestamp};

use super::{list, unreadable};
use crate::domain::agent::Person;
use crate::domain::history::{Edge, EventKind, EventReason, HistoryEvent, Order, ShownEvent};
use crate::domain::message::Author;
use crate::domain::sla::Metric;

/// Writes down what happened.
pub async fn insert_events(tx: &mut Tx, events: &[HistoryEvent]) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO conversation_events (org_id, conversation_id, event_time, event_id, type, actor_subject, actor_role,
             actor_name, agent_id, previous_agent_id, team_id, snooze_until, reason, sla_metric) VALUES {}",
        db::org_rows(events.len(), 13)
    );
    let mut query = tx.query_dynamic(sql);
    for it in events {
        let actor = it.actor.as_ref();
        query = query
            .bind(it.conversation)
            .bind(it.time)
            .bind(it.id)
            .bind(it.kind.as_str())
            .bind(actor.map(|actor| actor.subject.clone()))
            .bind(actor.map(|actor| actor.role.as_str()))
            .bind(actor.map(|actor| actor.display_name.clone()))
            .bind(it.agent)
            .bind(it.previous)
            .bind(it.team)
            .bind(it.snooze_until)
            .bind(it.reason.map(EventReason::as_str))
            .bind(it.metric.map(Metric::as_str));
    }
    query.execute(tx).await.map(drop)
}

#[derive(db::FromRow)]
struct EventRow {
    conversation_id: ConversationId,
    event_time: Timestamp,
    event_id: EventId,
    r#type: String,
    actor_subject: Option<Subject>,
    actor_role: Option<String>,
    actor_name: Option<String>,
    agent_id: Option<AgentId>,
    agent_subject: Option<Subject>,
    agent_username: Option<String>,
    agent_name: Option<String>,
    previous_agent_id: Option<AgentId>,
    previous_subject: Option<Subject>,
    previous_username: Option<String>,
    previous_name: Option<String>,
    team_id: Option<TeamId>,
    team_handle: Option<String>,
    snooze_until: Option<Timestamp>,
    reason: Option<String>,
    sla_metric: Option<String>,
}

impl EventRow {
    fn event(self) -> Result<ShownEvent, DbError> {
        let kind = EventKind::read(&self.r#type).ok_or_else(|| unreadable("conversation_events.type"))?;
        let actor = match (self.actor_subject, self.actor_role) {
            (Some(subject), Some(role)) => Some(Author {
                subject,
                role: Role::parse(&role).map_err(|_| unreadable("conversation_events.actor_role"))?,
                display_name: self.actor_name.unwrap_or_default(),
            }),
            _ => None,
        };
        let event = HistoryEvent {
            id: self.event_id,
            conversation: self.conversation_id,
            time: self.event_time,
            kind,
            actor,
            agent: self.agent_id,
            previous: self.previous_agent_id,
            team: self.team_id,
            snooze_until: self.snooze_until,
            // One that only a newer program knows is left out.
            reason: self.reason.as_deref().and_then(EventReason::read),
            metric: self.sla_metric.as_deref().and_then(Metric::read),
        };
        Ok(ShownEvent {
            event,
            assignee: person(self.agent_id, self.agent_subject, self.agent_username, self.agent_name),
            previous: person(
                self.previous_agent_id,
                self.previous_subject,
                self.previous_username,
                self.previous_name,
            ),
            team_handle: self.team_handle,
        })
    }
}

fn person(
    agent: Option<AgentId>,
    subject: Option<Subject>,
    username: Option<String>,
    name: Option<String>,
) -> Option<Person> {
    let (agent, subject) = agent.zip(subject)?;
    Some(Person {
        agent,
        subject,
        username: username.unwrap_or_default(),
        display_name: name.unwrap_or_default(),
    })
}

/// What happened to a conversation behind a time and id, at most `limit`.
pub async fn list_events(
    tx: &mut Tx,
    conversation: ConversationId,
    order: Order,
    edge: Edge,
    limit: i64,
) -> Result<Vec<ShownEvent>, DbError> {
    let (sign, direction) = direction(order);
    let sql = format!(
        "SELECT e.conversation_id, e.event_time, e.event_id, e.type, e.actor_subject, e.actor_role, e.actor_name,
             e.agent_id, a.subject AS agent_subject, a.username AS agent_username, a.display_name AS agent_name,
             e.previous_agent_id, p.subject AS previous_subject, p.username AS previous_username,
             p.display_name AS previous_name, e.team_id, t.handle AS team_handle, e.snooze_until, e.reason,
             e.sla_metric
         FROM conversation_events e
         LEFT JOIN agents a ON a.org_id = e.org_id AND a.agent_id = e.agent_id
         LEFT JOIN agents p ON p.org_id = e.org_id AND p.agent_id = e.previous_agent_id
         LEFT JOIN teams t ON t.org_id = e.org_id AND t.team_id = e.team_id
         WHERE e.org_id = $1 AND e.conversation_id = $2 AND (e.event_time, e.event_id) {sign} ($3, $4)
         ORDER BY e.event_time{direction}, e.event_id{direction} LIMIT $5"
    );
    let query = tx.query_dynamic(sql).bind(conversation).bind(edge.time).bind(edge.id).bind(limit);
    let rows: Vec<EventRow> = query.fetch_all(tx).await?;
    rows.into_iter().map(EventRow::event).collect()
}

/// Of these conversations those that a person took from somebody and gave to nobody, since when neither anybody nor a team got them;
/// and from whom.
pub async fn list_left(
    tx: &mut Tx,
    conversations: &[ConversationId],
) -> Result<Vec<(ConversationId, AgentId)>, DbError> {
    let sql = format!(
        "SELECT e.conversation_id, e.previous_agent_id FROM conversation_events e
         WHERE e.org_id = $1 AND e.conversation_id IN {} AND e.type = 'UNASSIGNED' AND e.actor_subject IS NOT NULL
             AND e.previous_agent_id IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM conversation_events l WHERE l.org_id = $1 AND l.conversation_id = e.conversation_id
                     AND (l.event_time, l.event_id) > (e.event_time, e.event_id)
                     AND (l.type IN ('ASSIGNED', 'QUEUED', 'RESOLVED') OR l.previous_agent_id IS NOT NULL))",
        list(2, conversations.len())
    );
    tx.query_dynamic(sql).bind_all(conversations.iter().copied()).fetch_all(tx).await
}

/// How SQL compares and sorts in this direction.
pub(super) fn direction(order: Order) -> (&'static str, &'static str) {
    match order {
        Order::OldestFirst => (">", ""),
        Order::NewestFirst => ("<", " DESC"),
    }
}
