//! Inbox views: one statement a page, over the index of the view.

use db::{DbError, Query, Tx};
use kernel::{AgentId, ConversationId};

use super::conversations::{COLUMNS, ConversationRow, TABLES};
use super::list;
use crate::domain::interest::Line;
use crate::domain::view::{Entry, Filter, NOT_WAITING, Place, Sort, View};

/// Who reads a view: whose MINE, whose cursors.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The `sub` of the reader.
    pub subject: String,
    /// Their agent; `None`: they have none, and nothing is theirs.
    pub agent: Option<AgentId>,
}

/// What a reader has seen, beside `c`. `$2` is the reader.
pub(super) const CURSORS: &str = "
     LEFT JOIN read_cursors r ON r.org_id = c.org_id AND r.subject = $2 AND r.conversation_id = c.conversation_id
     LEFT JOIN note_counts n ON n.org_id = c.org_id AND n.conversation_id = c.conversation_id
     LEFT JOIN mentions m ON m.org_id = c.org_id AND m.subject = $2 AND m.conversation_id = c.conversation_id";

/// Whether the reader was mentioned since they last read.
pub(super) const MENTIONED: &str = "COALESCE(m.mentions, 0) > COALESCE(m.seen_mentions, 0)";

/// Whether there is something newer than the reader's cursor: only what customers write, notes of others, mentions.
pub(super) fn unread() -> String {
    format!(
        "(c.last_inbound_position > COALESCE(r.read_position, 0)
          OR COALESCE(n.notes, 0) - COALESCE(r.own_notes, 0) > COALESCE(r.seen_notes, 0) OR {MENTIONED})"
    )
}

/// What belongs to a view. `$2` is the reader, `$3` their agent.
pub(super) fn belongs(view: View) -> String {
    const MY_TEAMS: &str = "(SELECT t.team_id FROM team_members t WHERE t.org_id = $1 AND t.agent_id = $3)";
    const MENTIONING: &str =
        "(SELECT s.conversation_id FROM mentions s WHERE s.org_id = $1 AND s.subject = $2)";
    match view {
        View::Mine => "c.status = 'OPEN' AND c.assignee_id = $3".to_owned(),
        View::Unassigned => "c.status = 'OPEN' AND c.assignee_id IS NULL".to_owned(),
        View::Team => format!("c.status = 'OPEN' AND c.team_id IN {MY_TEAMS}"),
        View::Mentioned => format!("c.status <> 'RESOLVED' AND c.conversation_id IN {MENTIONING}"),
        View::Unread => format!(
            "c.status = 'OPEN' AND c.conversation_id IN (
                 SELECT o.conversation_id FROM conversations o
                 WHERE o.org_id = $1 AND o.status = 'OPEN' AND o.assignee_id = $3
                 UNION {mentioning})
             AND {unread}",
            mentioning = MENTIONING.trim_matches(['(', ')']),
            unread = unread()
        ),
        View::All => "c.status = 'OPEN'".to_owned(),
        View::Resolved => "c.status = 'RESOLVED'".to_owned(),
        View::Snoozed => "c.status = 'SNOOZED'".to_owned(),
        View::Unresolved => "c.status <> 'RESOLVED'".to_owned(),
        View::Every => "TRUE".to_owned(),
    }
}

#[derive(db::FromRow)]
struct EntryRow {
    #[sqlx(flatten)]
    conversation: ConversationRow,
    unread: bool,
    mentioned: bool,
}

/// A page of a view, behind a place.
pub async fn list_entries(
    tx: &mut Tx,
    reader: &Reader,
    filter: &Filter,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Entry>, DbError> {
    let mut asked = Asked { places: 2, conditions: String::new(), binds: Vec::new() };
    match (filter.view, filter.team) {
        // Somebody who names a team reads that one, whoever is in it.
        (View::Team, Some(team)) => {
            asked.conditions.push_str("c.status = 'OPEN'");
            asked.and("c.team_id = ?", Value::Uuid(team.into()));
        }
        (view, _) => {
            if matches!(view, View::Mine | View::Team | View::Unread) {
                asked.place(Value::Agent(reader.agent));
            }
            asked.conditions.push_str(&belongs(view));
        }
    }
    asked.and_some("c.contact_id = ?", filter.contact.map(|id| Value::Uuid(id.into())));
    asked.and_some("c.assignee_id = ?", filter.assignee.map(|id| Value::Uuid(id.into())));
    asked.and_some("c.external_id = ?", filter.external_id.clone().map(Value::Text));
    asked.and_some("c.channel = ?", filter.channel.clone().map(Value::Text));
    asked.and_some("c.source = ?", filter.source.clone().map(Value::Text));
    if let Some(place) = after {
        asked.behind(filter.sort, place);
    }
    let sql = format!(
        "SELECT {COLUMNS}, {unread} AS unread, {MENTIONED} AS mentioned FROM {TABLES}{CURSORS}
         WHERE c.org_id = $1 AND {conditions} ORDER BY {order} LIMIT {limit}",
        unread = unread(),
        conditions = asked.conditions,
        order = order(filter.sort),
    );
    let query = tx.query_dynamic(sql).bind(reader.subject.as_str());
    let rows: Vec<EntryRow> = asked.bind(query).fetch_all(tx).await?;
    rows.into_iter()
        .map(|row| {
            let conversation = row.conversation.conversation()?;
            Ok(Entry { conversation, unread: row.unread, mentioned: row.mentioned })
        })
        .collect()
}

#[derive(db::FromRow)]
struct LineRow {
    #[sqlx(flatten)]
    conversation: ConversationRow,
    unread: bool,
    mentioned: bool,
    of_my_teams: bool,
    ever_mentioned: bool,
}

/// Some conversations as this agent sees them, in no order; those that are gone are left out.
pub async fn list_lines(
    tx: &mut Tx,
    subject: &str,
    agent: AgentId,
    ids: &[ConversationId],
) -> Result<Vec<Line>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS}, {unread} AS unread, {MENTIONED} AS mentioned, m.subject IS NOT NULL AS ever_mentioned,
             EXISTS (SELECT 1 FROM team_members t
                 WHERE t.org_id = $1 AND t.agent_id = $3 AND t.team_id = c.team_id) AS of_my_teams
         FROM {TABLES}{CURSORS} WHERE c.org_id = $1 AND c.conversation_id IN {ids}",
        unread = unread(),
        ids = list(4, ids.len()),
    );
    let query = tx.query_dynamic(sql).bind(subject).bind(agent).bind_all(ids.iter().copied());
    let rows: Vec<LineRow> = query.fetch_all(tx).await?;
    let line = |row: LineRow| {
        let (unread, mentioned) = (row.unread, row.mentioned);
        let entry = Entry { conversation: row.conversation.conversation()?, unread, mentioned };
        Ok(Line { entry, of_my_teams: row.of_my_teams, ever_mentioned: row.ever_mentioned })
    };
    rows.into_iter().map(line).collect()
}

fn order(sort: Sort) -> String {
    match sort {
        Sort::LastActivity => "c.last_activity_time DESC, c.conversation_id DESC".to_owned(),
        Sort::LongestWaiting => format!("COALESCE(c.waiting_since, {NOT_WAITING}), c.conversation_id"),
        Sort::Priority => format!("-c.priority, COALESCE(c.waiting_since, {NOT_WAITING}), c.conversation_id"),
    }
}

enum Value {
    Agent(Option<AgentId>),
    Text(String),
    Uuid(uuid::Uuid),
    Int(i64),
}

/// The conditions of a list, with the values that go with them.
struct Asked {
    places: usize,
    conditions: String,
    binds: Vec<Value>,
}

impl Asked {
    /// Adds a condition; its `?` stands for the value.
    fn and(&mut self, condition: &str, value: Value) {
        let place = self.place(value);
        self.conditions.push_str(" AND ");
        self.conditions.push_str(&condition.replace('?', &place));
    }

    fn and_some(&mut self, condition: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.and(condition, value);
        }
    }

    fn behind(&mut self, sort: Sort, place: Place) {
        let first = self.place(Value::Int(place.first));
        let condition = match sort {
            Sort::LastActivity => {
                let id = self.place(Value::Uuid(place.conversation.into()));
                format!("(c.last_activity_time, c.conversation_id) < ({first}, {id})")
            }
            Sort::LongestWaiting => {
                let id = self.place(Value::Uuid(place.conversation.into()));
                format!("(COALESCE(c.waiting_since, {NOT_WAITING}), c.conversation_id) > ({first}, {id})")
            }
            Sort::Priority => {
                let second = self.place(Value::Int(place.second));
                let id = self.place(Value::Uuid(place.conversation.into()));
                format!(
                    "(-c.priority, COALESCE(c.waiting_since, {NOT_WAITING}), c.conversation_id)
                     > ({first}, {second}, {id})"
                )
            }
        };
        self.conditions.push_str(" AND ");
        self.conditions.push_str(&condition);
    }

    fn place(&mut self, value: Value) -> String {
        self.places += 1;
        self.binds.push(value);
        format!("${}", self.places)
    }

    fn bind(self, query: Query) -> Query {
        self.binds.into_iter().fold(query, |query, value| match value {
            Value::Agent(agent) => query.bind(agent),
            Value::Text(text) => query.bind(text),
            Value::Uuid(uuid) => query.bind(uuid),
            Value::Int(int) => query.bind(int),
        })
    }
}
