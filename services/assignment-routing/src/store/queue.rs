//! Conversations that wait for an agent of a team.

use std::time::Duration;

use db::{DbError, Json, Tx};
use kernel::{AgentId, ContactId, ConversationId, OrgId, TeamId, Timestamp, WorkflowId};

use super::loads::{CAPACITY, TAKEN};
use super::{list, locks};
use crate::domain::batch::Waiting;
use crate::domain::conversation::Conversation;
use crate::domain::offer::Refusal;
use crate::domain::priority::Priority;
use crate::domain::sharing::Sharing;
use crate::domain::timer::shown_by;
use crate::domain::workflow::Trace;

/// A place in a queue.
#[derive(Debug, Clone)]
pub struct Place {
    /// The conversation.
    pub conversation: ConversationId,
    /// The team that is to take it.
    pub team: TeamId,
    /// What it costs.
    pub units: i64,
    /// How the team shares it.
    pub sharing: Sharing,
    /// The workflow that chose the team.
    pub workflow: Option<WorkflowId>,
    /// The workflows that were looked at.
    pub traces: Vec<Trace>,
    /// How urgent it is.
    pub priority: Priority,
    /// Since when it waits, by the database's clock.
    pub queue_time: Timestamp,
    /// Whether a decision says already that it waits.
    pub explained: bool,
    /// Who gets it only if nobody else can take it.
    pub passed: Option<AgentId>,
}

impl Place {
    /// A place at the end of a team's queue for a conversation, shared as it says, which no workflow led to just now.
    #[must_use]
    pub fn of(it: &Conversation, team: TeamId, queue_time: Timestamp) -> Self {
        Self {
            conversation: it.id,
            team,
            units: it.units,
            sharing: it.sharing.clone().unwrap_or_default(),
            workflow: None,
            traces: Vec::new(),
            priority: it.priority,
            queue_time,
            explained: false,
            passed: None,
        }
    }

    /// The same by another clock, which shows `there` when the one it was made by shows `here`.
    #[must_use]
    pub fn shown_by(&self, here: Timestamp, there: Timestamp) -> Self {
        Self { queue_time: shown_by(self.queue_time, here, there), ..self.clone() }
    }
}

/// Joins a queue with a conversation that has just begun: nobody has refused it. How it is shared is read from the conversation.
pub async fn join(tx: &mut Tx, place: &Place) -> Result<(), DbError> {
    insert_all(tx, std::slice::from_ref(place)).await
}

/// Joins queues; who is in one already changes to this one. Whoever refused one of these before may be asked again.
pub async fn join_all(tx: &mut Tx, places: &[Place]) -> Result<(), DbError> {
    if places.is_empty() {
        return Ok(());
    }
    let conversations: Vec<ConversationId> = places.iter().map(|place| place.conversation).collect();
    super::offers::forget_refusals(tx, &conversations).await?;
    insert_all(tx, places).await
}

async fn insert_all(tx: &mut Tx, places: &[Place]) -> Result<(), DbError> {
    let sql = format!(
        "INSERT INTO queue (org_id, conversation_id, team_id, strategy, workflow_id, traces, priority, queue_time,
             explained, demand, relax_time, passed_agent_id)
         VALUES {}
         ON CONFLICT (org_id, conversation_id) DO UPDATE SET team_id = excluded.team_id,
             strategy = excluded.strategy, workflow_id = excluded.workflow_id, traces = excluded.traces,
             priority = excluded.priority, queue_time = excluded.queue_time, explained = excluded.explained,
             demand = excluded.demand, relax_time = excluded.relax_time, passed_agent_id = excluded.passed_agent_id,
             offered = excluded.offered",
        db::org_rows(places.len(), 11)
    );
    let mut query = tx.query_dynamic(sql);
    for place in places {
        query = query
            .bind(place.conversation)
            .bind(place.team)
            .bind(place.sharing.strategy.as_str())
            .bind(place.workflow)
            .bind(Json(&place.traces))
            .bind(i64::from(place.priority.rank()))
            .bind(place.queue_time)
            .bind(place.explained)
            .bind(place.sharing.demand(place.units, Duration::ZERO).key())
            .bind(place.sharing.relax_time(place.queue_time, place.queue_time))
            .bind(place.passed);
    }
    query.execute(tx).await.map(drop)
}

/// How many wait in all queues of all organizations, and for how long the first of them; none, where nobody waits.
pub async fn depth(tx: &mut Tx) -> Result<(i64, Option<Duration>), DbError> {
    let now = tx.now().await?;
    let query = tx.query("SELECT COUNT(*), MIN(queue_time) FROM queue");
    let (waiting, since): (i64, Option<Timestamp>) = query.fetch_one(tx).await?;
    Ok((waiting, since.map(|since| now.since(since))))
}

/// Leaves the queue, where they are in one; says which of them waited for somebody's answer to an offer, which is to be taken back.
pub async fn leave(tx: &mut Tx, conversations: &[ConversationId]) -> Result<Vec<ConversationId>, DbError> {
    let sql = format!(
        "DELETE FROM queue WHERE org_id = $1 AND conversation_id IN {} RETURNING conversation_id, offered",
        list(2, conversations.len())
    );
    let left: Vec<(ConversationId, bool)> =
        tx.query_dynamic(sql).bind_all(conversations.iter().copied()).fetch_all(tx).await?;
    Ok(left.into_iter().filter(|(_, offered)| *offered).map(|(conversation, _)| conversation).collect())
}

/// Notes whether these wait for somebody's answer to an offer; says of how many that is new. What a decision said of them before is not
/// why they wait once it is over.
pub async fn set_offered(
    tx: &mut Tx,
    conversations: &[ConversationId],
    offered: bool,
) -> Result<u64, DbError> {
    let sql = format!(
        "UPDATE queue SET offered = $2, explained = FALSE
         WHERE org_id = $1 AND offered <> $2 AND conversation_id IN {}",
        list(3, conversations.len())
    );
    tx.query_dynamic(sql).bind(offered).bind_all(conversations.iter().copied()).execute(tx).await
}

/// Moves a waiting conversation to the place of its new priority.
pub async fn set_priority(
    tx: &mut Tx,
    conversation: ConversationId,
    priority: Priority,
) -> Result<(), DbError> {
    tx.query("UPDATE queue SET priority = $3 WHERE org_id = $1 AND conversation_id = $2")
        .bind(conversation)
        .bind(i64::from(priority.rank()))
        .execute(tx)
        .await
        .map(drop)
}

#[derive(db::FromRow)]
struct WaitingRow {
    conversation_id: ConversationId,
    version: i64,
    last_entry_time: Timestamp,
    contact_id: ContactId,
    units: i64,
    sharing: Option<Json<Sharing>>,
    queue_time: Timestamp,
    workflow_id: Option<WorkflowId>,
    traces: Json<Vec<Trace>>,
    explained: bool,
    passed_agent_id: Option<AgentId>,
}

impl From<WaitingRow> for Waiting {
    fn from(row: WaitingRow) -> Self {
        Self {
            conversation: row.conversation_id,
            version: row.version,
            last_entry_time: row.last_entry_time,
            contact: row.contact_id,
            units: row.units,
            sharing: row.sharing.map(|sharing| sharing.0).unwrap_or_default(),
            queue_time: row.queue_time,
            workflow: row.workflow_id,
            traces: row.traces.0,
            explained: row.explained,
            refusals: row.passed_agent_id.into_iter().map(Refusal::long_ago).collect(),
        }
    }
}

/// Which part of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All who wait, if somebody of the team is online and has room for anything; otherwise none.
    Takeable,
    /// Those of whom no decision says yet that they wait.
    Unexplained,
    /// Of these, those whom nobody else holds: for when loads are locked by now.
    FreeUnexplained,
}

const WAITING: &str =
    "SELECT q.conversation_id, c.version, c.last_entry_time, c.contact_id, c.units, c.sharing,
         q.queue_time, q.workflow_id, q.traces, q.explained, q.passed_agent_id
     FROM queue q JOIN conversations c ON c.org_id = q.org_id AND c.conversation_id = q.conversation_id
     WHERE q.org_id = $1 AND q.team_id = $2 AND NOT q.offered AND c.status = 'OPEN' AND c.assignee_id IS NULL";

const IN_ORDER: &str = " ORDER BY -q.priority, q.queue_time, q.conversation_id";

/// The next to be served: most urgent first, then longest queued. Their conversations are locked.
pub async fn list_next(tx: &mut Tx, team: TeamId, part: Part, limit: i64) -> Result<Vec<Waiting>, DbError> {
    // Of the team alone, so that the database looks once and not for each who waits.
    let which = match part {
        Part::Takeable => format!(
            " AND EXISTS (SELECT 1 FROM team_members m
                 JOIN presence p ON p.org_id = m.org_id AND p.agent_id = m.agent_id
                 JOIN loads l ON l.org_id = m.org_id AND l.agent_id = m.agent_id
                 JOIN agents a ON a.org_id = m.org_id AND a.agent_id = m.agent_id
                 LEFT JOIN settings s ON s.org_id = m.org_id
                 WHERE m.org_id = $1 AND m.team_id = $2 AND p.availability = 'ONLINE'
                     AND ({CAPACITY} = 0 OR {TAKEN} < {CAPACITY}))"
        ),
        Part::Unexplained | Part::FreeUnexplained => " AND NOT q.explained".to_owned(),
    };
    let lock = match part {
        Part::Takeable | Part::Unexplained => locks::conversations_for_update(tx),
        Part::FreeUnexplained => locks::free_conversations_for_update(tx),
    };
    let sql = format!("{WAITING}{which}{IN_ORDER} LIMIT $3{lock}");
    let rows: Vec<WaitingRow> = tx.query_dynamic(sql).bind(team).bind(limit).fetch_all(tx).await?;
    Ok(rows.into_iter().map(Waiting::from).collect())
}

/// These of a team's queue, in order, without those that somebody else holds. Their conversations are locked.
pub async fn list_these(
    tx: &mut Tx,
    team: TeamId,
    conversations: &[ConversationId],
) -> Result<Vec<Waiting>, DbError> {
    if conversations.is_empty() {
        return Ok(Vec::new());
    }
    let lock = locks::free_conversations_for_update(tx);
    let which = list(3, conversations.len());
    let sql = format!("{WAITING} AND q.conversation_id IN {which}{IN_ORDER}{lock}");
    let query = tx.query_dynamic(sql).bind(team).bind_all(conversations.iter().copied());
    let rows: Vec<WaitingRow> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(Waiting::from).collect())
}

/// Notes that a decision says of these that they wait.
pub async fn set_explained(tx: &mut Tx, conversations: &[ConversationId]) -> Result<(), DbError> {
    let sql = format!(
        "UPDATE queue SET explained = TRUE WHERE org_id = $1 AND conversation_id IN {}",
        list(2, conversations.len())
    );
    tx.query_dynamic(sql).bind_all(conversations.iter().copied()).execute(tx).await.map(drop)
}

/// Where a conversation waits.
pub async fn find_team(tx: &mut Tx, conversation: ConversationId) -> Result<Option<TeamId>, DbError> {
    tx.query("SELECT team_id FROM queue WHERE org_id = $1 AND conversation_id = $2")
        .bind(conversation)
        .fetch_optional_value(tx)
        .await
}

/// Teams with work to be looked at, of every organization (system scope): work nobody has looked at, or work that waits
/// while somebody of the team is there. It finds what a lost wake-up left behind. What waits for somebody's answer is none.
pub async fn list_due(tx: &mut Tx, now: Timestamp) -> Result<Vec<(OrgId, TeamId)>, DbError> {
    tx.query(
        "SELECT q.org_id, q.team_id FROM (SELECT DISTINCT org_id, team_id, explained FROM queue WHERE NOT offered) q
         WHERE NOT q.explained OR EXISTS (
             SELECT 1 FROM team_members m JOIN presence p ON p.org_id = m.org_id AND p.agent_id = m.agent_id
             WHERE m.org_id = q.org_id AND m.team_id = q.team_id AND p.availability = 'ONLINE'
                 AND (p.pinned OR p.lease_expire_time > $1))
         GROUP BY q.org_id, q.team_id",
    )
    .bind(now)
    .fetch_all(tx)
    .await
}

/// Whose turn it was last in a team.
pub async fn find_rotation(tx: &mut Tx, team: TeamId) -> Result<Option<AgentId>, DbError> {
    tx.query("SELECT last_agent_id FROM rotations WHERE org_id = $1 AND team_id = $2")
        .bind(team)
        .fetch_optional_value(tx)
        .await
}

/// Notes whose turn it was.
pub async fn save_rotation(tx: &mut Tx, team: TeamId, last: AgentId) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO rotations (org_id, team_id, last_agent_id) VALUES ($1, $2, $3)
         ON CONFLICT (org_id, team_id) DO UPDATE SET last_agent_id = excluded.last_agent_id",
    )
    .bind(team)
    .bind(last)
    .execute(tx)
    .await
    .map(drop)
}

/// Forgets a team's turn, with the team.
pub async fn delete_rotation(tx: &mut Tx, team: TeamId) -> Result<(), DbError> {
    tx.query("DELETE FROM rotations WHERE org_id = $1 AND team_id = $2")
        .bind(team)
        .execute(tx)
        .await
        .map(drop)
}
