//! Conversations, each with the person who has it.

use std::collections::BTreeSet;

use db::{DbError, Json, Query, Tx};
use kernel::{AgentId, ContactId, ConversationId, Subject, TeamId, Timestamp};

use super::{agents, list, locks, unreadable};
use crate::domain::agent::Person;
use crate::domain::batch::Given;
use crate::domain::conversation::{Conversation, Status};
use crate::domain::priority::Priority;
use crate::domain::sharing::Sharing;
use crate::domain::sla::Tracking;

/// What a conversation is read from: `c`, and `a` for its assignee.
pub(super) const COLUMNS: &str = "c.conversation_id, c.version, c.source, c.channel, c.external_id, c.contact_id,
     c.subject, c.tags, c.priority, c.status, c.team_id, c.waiting_since, c.first_reply_time, c.last_activity_time,
     c.snooze_until, c.resolve_time, c.create_time, c.message_count, c.last_inbound_position, c.last_entry_time,
     c.first_contact_id, c.units, c.sharing, c.sla,
     c.assignee_id, a.subject AS assignee_subject, a.username AS assignee_username, a.display_name AS assignee_name";
pub(super) const TABLES: &str =
    "conversations c LEFT JOIN agents a ON a.org_id = c.org_id AND a.agent_id = c.assignee_id";

#[derive(db::FromRow)]
pub(super) struct ConversationRow {
    conversation_id: ConversationId,
    version: i64,
    source: String,
    channel: String,
    external_id: String,
    contact_id: ContactId,
    first_contact_id: Option<ContactId>,
    subject: String,
    tags: Json<BTreeSet<String>>,
    priority: i64,
    status: String,
    team_id: Option<TeamId>,
    waiting_since: Option<Timestamp>,
    first_reply_time: Option<Timestamp>,
    last_activity_time: Timestamp,
    snooze_until: Option<Timestamp>,
    resolve_time: Option<Timestamp>,
    create_time: Timestamp,
    message_count: i64,
    last_inbound_position: i64,
    last_entry_time: Timestamp,
    units: i64,
    sharing: Option<Json<Sharing>>,
    sla: Option<Json<Tracking>>,
    assignee_id: Option<AgentId>,
    assignee_subject: Option<Subject>,
    assignee_username: Option<String>,
    assignee_name: Option<String>,
}

impl ConversationRow {
    /// The conversation that was just locked. Where PostgreSQL had to wait for the lock, it read the conversation anew but
    /// joined it with the agents as they were before, and so perhaps with none.
    async fn with_assignee(mut self, tx: &mut Tx) -> Result<Conversation, DbError> {
        if let Some(agent) = self.unknown_assignee()
            && let Some(person) = agents::list_people(tx, &[agent]).await?.into_iter().next()
        {
            self.set_assignee(person);
        }
        self.conversation()
    }

    /// Who has it, where that is not known but by id.
    pub(super) fn unknown_assignee(&self) -> Option<AgentId> {
        self.assignee_id.filter(|_| self.assignee_subject.is_none())
    }

    /// Says who has it.
    pub(super) fn set_assignee(&mut self, person: Person) {
        self.assignee_subject = Some(person.subject);
        self.assignee_username = Some(person.username);
        self.assignee_name = Some(person.display_name);
    }

    pub(super) fn conversation(self) -> Result<Conversation, DbError> {
        let assignee = match (self.assignee_id, self.assignee_subject) {
            (Some(agent), Some(subject)) => Some(Person {
                agent,
                subject,
                username: self.assignee_username.unwrap_or_default(),
                display_name: self.assignee_name.unwrap_or_default(),
            }),
            (None, _) => None,
            (Some(_), None) => return Err(unreadable("conversations.assignee_id")),
        };
        let rank = i32::try_from(self.priority).ok();
        Ok(Conversation {
            id: self.conversation_id,
            version: self.version,
            source: self.source,
            channel: self.channel,
            external_id: self.external_id,
            contact: self.contact_id,
            first_contact: self.first_contact_id,
            subject: self.subject,
            tags: self.tags.0,
            priority: rank.and_then(Priority::of_rank).ok_or_else(|| unreadable("conversations.priority"))?,
            status: Status::read(&self.status).ok_or_else(|| unreadable("conversations.status"))?,
            assignee,
            team: self.team_id,
            waiting_since: self.waiting_since,
            first_reply_time: self.first_reply_time,
            last_activity_time: self.last_activity_time,
            snooze_until: self.snooze_until,
            resolve_time: self.resolve_time,
            create_time: self.create_time,
            message_count: self.message_count,
            last_inbound_position: self.last_inbound_position,
            last_entry_time: self.last_entry_time,
            units: self.units,
            sharing: self.sharing.map(|sharing| sharing.0),
            sla: self.sla.map(|sla| sla.0),
        })
    }
}

/// Reads one conversation.
pub async fn find_conversation(tx: &mut Tx, id: ConversationId) -> Result<Option<Conversation>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE c.org_id = $1 AND c.conversation_id = $2");
    let row: Option<ConversationRow> = tx.query_dynamic(sql).bind(id).fetch_optional(tx).await?;
    row.map(ConversationRow::conversation).transpose()
}

/// Reads some conversations, in no order; those the organization does not have are left out.
pub async fn list_by_ids(
    tx: &mut Tx,
    ids: Vec<ConversationId>,
) -> Result<Vec<(ConversationId, Conversation)>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE c.org_id = $1 AND c.conversation_id IN {}",
        list(2, ids.len())
    );
    let rows: Vec<ConversationRow> = tx.query_dynamic(sql).bind_all(ids).fetch_all(tx).await?;
    rows.into_iter().map(|row| row.conversation().map(|it| (it.id, it))).collect()
}

/// Reads one conversation that is about to change.
pub async fn lock_conversation(tx: &mut Tx, id: ConversationId) -> Result<Option<Conversation>, DbError> {
    let lock = locks::conversations_for_update(tx);
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE c.org_id = $1 AND c.conversation_id = $2{lock}");
    let row: Option<ConversationRow> = tx.query_dynamic(sql).bind(id).fetch_optional(tx).await?;
    match row {
        Some(row) => row.with_assignee(tx).await.map(Some),
        None => Ok(None),
    }
}

#[derive(db::FromRow)]
struct RecipientRow {
    #[sqlx(flatten)]
    conversation: ConversationRow,
    known: bool,
    workflows: i64,
}

/// The conversation that a message of a channel is for.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// The conversation.
    pub conversation: Conversation,
    /// Whether a message with this external id is known on the channel.
    pub known: bool,
    /// The revision of the organization's workflows.
    pub workflows: i64,
}

/// How the conversation of a message is found.
#[derive(Debug, Clone)]
pub enum Key {
    /// By our id.
    Id(ConversationId),
    /// By the channel's own id.
    External(String),
}

/// The conversation that a message of a channel is for, about to change.
pub async fn lock_recipient(
    tx: &mut Tx,
    key: &Key,
    channel: &str,
    message_external_id: &str,
) -> Result<Option<Recipient>, DbError> {
    let lock = locks::conversations_for_update(tx);
    let which = match key {
        Key::Id(_) => "c.conversation_id = $4",
        Key::External(_) => "c.channel = $2 AND c.external_id = $4",
    };
    let sql = format!(
        "SELECT {COLUMNS}, EXISTS (SELECT 1 FROM messages m
             WHERE m.org_id = $1 AND m.channel = $2 AND m.external_id = $3) AS known,
             COALESCE((SELECT w.revision FROM workflow_sets w WHERE w.org_id = $1), 0) AS workflows
         FROM {TABLES} WHERE c.org_id = $1 AND {which}{lock}"
    );
    let query = tx.query_dynamic(sql).bind(channel).bind(message_external_id);
    let query = match key {
        Key::Id(id) => query.bind(*id),
        Key::External(external_id) => query.bind(external_id.as_str()),
    };
    let row: Option<RecipientRow> = query.fetch_optional(tx).await?;
    match row {
        Some(RecipientRow { conversation, known, workflows }) => {
            let conversation = conversation.with_assignee(tx).await?;
            Ok(Some(Recipient { conversation, known, workflows }))
        }
        None => Ok(None),
    }
}

/// Makes a conversation, unless its channel knows one with its external id; says what it costs, if it did: what its channel
/// does now.
pub async fn insert_conversation(tx: &mut Tx, new: &Conversation) -> Result<Option<i64>, DbError> {
    tx.query(
            "INSERT INTO conversations (org_id, conversation_id, version, source, channel, external_id, contact_id,
                 subject, tags, priority, status, team_id, waiting_since, first_reply_time, last_activity_time,
                 resolve_time, create_time, message_count, last_inbound_position, last_entry_time,
                 first_contact_id, sharing, sla, units)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                 $22, $23, COALESCE((SELECT u.units FROM channel_units u WHERE u.org_id = $1 AND u.channel = $5), 1))
             ON CONFLICT (org_id, channel, external_id) DO NOTHING
             RETURNING units",
    )
        .bind(new.id)
        .bind(new.version)
        .bind(new.source.as_str())
        .bind(new.channel.as_str())
        .bind(new.external_id.as_str())
        .bind(new.contact)
        .bind(new.subject.as_str())
        .bind(Json(&new.tags))
        .bind(i64::from(new.priority.rank()))
        .bind(new.status.as_str())
        .bind(new.team)
        .bind(new.waiting_since)
        .bind(new.first_reply_time)
        .bind(new.last_activity_time)
        .bind(new.resolve_time)
        .bind(new.create_time)
        .bind(new.message_count)
        .bind(new.last_inbound_position)
        .bind(new.last_entry_time)
        .bind(new.first_contact)
        .bind(new.sharing.as_ref().map(Json))
        .bind(new.sla.as_ref().map(Json))
        .fetch_optional_value(tx)
        .await
}

/// What changes of a conversation, behind its id and the version that was read: 18 values.
pub(super) fn bind_state(query: Query, it: &Conversation) -> Query {
    query
        .bind(it.id)
        .bind(it.version)
        .bind(it.subject.as_str())
        .bind(Json(&it.tags))
        .bind(i64::from(it.priority.rank()))
        .bind(it.status.as_str())
        .bind(it.assignee_id())
        .bind(it.team)
        .bind(it.waiting_since)
        .bind(it.first_reply_time)
        .bind(it.last_activity_time)
        .bind(it.snooze_until)
        .bind(it.resolve_time)
        .bind(it.message_count)
        .bind(it.last_inbound_position)
        .bind(it.last_entry_time)
        .bind(it.sharing.as_ref().map(Json))
        .bind(it.sla.as_ref().map(Json))
}

/// Writes a changed conversation if the row still has its version, and gives it the next; says whether it had.
pub async fn save_conversation(tx: &mut Tx, it: &mut Conversation) -> Result<bool, DbError> {
    let saved = tx.query(
        "UPDATE conversations SET version = version + 1, subject = $4, tags = $5, priority = $6, status = $7,
             assignee_id = $8, team_id = $9, waiting_since = $10, first_reply_time = $11, last_activity_time = $12,
             snooze_until = $13, resolve_time = $14, message_count = $15, last_inbound_position = $16,
             last_entry_time = $17, sharing = $18, sla = $19
         WHERE org_id = $1 AND conversation_id = $2 AND version = $3",
    );
    let saved = bind_state(saved, it).execute(tx).await?;
    it.version += 1;
    Ok(saved == 1)
}

/// Gives waiting conversations to their agents; says how many were still as they were read: open, with nobody, unchanged.
pub async fn assign_waiting(tx: &mut Tx, given: &[Given]) -> Result<u64, DbError> {
    let sql = format!(
        "UPDATE conversations AS c SET assignee_id = v.column2, version = c.version + 1, last_entry_time = v.column4
         FROM (VALUES {}) AS v
         WHERE c.org_id = $1 AND c.conversation_id = v.column1 AND c.version = v.column3
             AND c.status = 'OPEN' AND c.assignee_id IS NULL",
        db::rows(2, given.len(), 4)
    );
    let mut query = tx.query_dynamic(sql);
    for it in given {
        query = query.bind(it.conversation).bind(it.agent).bind(it.version).bind(it.time);
    }
    query.execute(tx).await
}

/// Which of these conversations there are.
pub async fn list_existing(tx: &mut Tx, ids: &[ConversationId]) -> Result<Vec<ConversationId>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT conversation_id FROM conversations WHERE org_id = $1 AND conversation_id IN {}",
        list(2, ids.len())
    );
    tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_values(tx).await
}

/// Whether a conversation that is not resolved names a team.
pub async fn names_team(tx: &mut Tx, team: TeamId) -> Result<bool, DbError> {
    let found: Option<i64> = tx
        .query(
            "SELECT version FROM conversations WHERE org_id = $1 AND team_id = $2 AND status = 'OPEN'
             UNION ALL
             SELECT version FROM conversations WHERE org_id = $1 AND team_id = $2 AND status = 'SNOOZED'
             LIMIT 1",
        )
        .bind(team)
        .fetch_optional_value(tx)
        .await?;
    Ok(found.is_some())
}
