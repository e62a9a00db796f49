//! What is counted for reports, and from where counting goes on.

use db::{DbError, Tx};
use kernel::{AgentId, ConversationId, TeamId, Timestamp};
use uuid::Uuid;

use super::{list, unreadable};
use crate::domain::conversation::Status;
use crate::domain::history::EventKind;
use crate::domain::report::{Counts, Slot, Waits};
use crate::domain::report_tally::{Entry, Standing, What};
use crate::domain::report_times;

#[derive(db::FromRow)]
struct StandingRow {
    conversation_id: ConversationId,
    counted_to: Timestamp,
    status: String,
    agent_id: Option<AgentId>,
    team_id: Option<TeamId>,
    open_time: Timestamp,
    asked_time: Option<Timestamp>,
    answered: bool,
}

/// How these conversations stood when they were last counted; those that never were are left out.
pub async fn list_standings(
    tx: &mut Tx,
    ids: &[ConversationId],
) -> Result<Vec<(ConversationId, Standing)>, DbError> {
    let sql = format!(
        "SELECT conversation_id, counted_to, status, agent_id, team_id, open_time, asked_time, answered
         FROM report_standings WHERE org_id = $1 AND conversation_id IN {}",
        list(2, ids.len())
    );
    let rows: Vec<StandingRow> = tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_all(tx).await?;
    let standing = |row: StandingRow| {
        let standing = Standing {
            counted_to: row.counted_to,
            status: Status::read(&row.status).ok_or_else(|| unreadable("report_standings.status"))?,
            agent: row.agent_id,
            team: row.team_id,
            open_time: row.open_time,
            asked_time: row.asked_time,
            answered: row.answered,
        };
        Ok((row.conversation_id, standing))
    };
    rows.into_iter().map(standing).collect()
}

/// From where a conversation is counted on.
#[derive(Debug, Clone, Copy)]
pub struct CountFrom {
    /// The conversation.
    pub conversation: ConversationId,
    /// The last entry that is counted.
    pub counted_to: Timestamp,
    /// Whether its customer was answered by then.
    pub answered: bool,
}

#[derive(db::FromRow)]
struct EntryRow {
    conversation_id: ConversationId,
    entry_time: Timestamp,
    what: String,
    by_itself: bool,
    agent_id: Option<AgentId>,
    team_id: Option<TeamId>,
    sent_time: Timestamp,
}

impl EntryRow {
    fn entry(self) -> (ConversationId, Entry) {
        let what = match self.what.as_str() {
            "BEGAN" => What::Began { sent: self.sent_time },
            "ANSWERED" => What::Answered { sent: self.sent_time },
            kind => What::Event {
                kind: EventKind::read(kind),
                by_itself: self.by_itself,
                agent: self.agent_id,
                team: self.team_id,
            },
        };
        (self.conversation_id, Entry { time: self.entry_time, what })
    }
}

/// What is to be counted of these conversations: one behind the other, each in order, at most `limit` in all. It is one statement, so that
/// nothing of a conversation is seen without what came before it.
pub async fn list_entries(
    tx: &mut Tx,
    from: &[CountFrom],
    limit: i64,
) -> Result<Vec<(ConversationId, Entry)>, DbError> {
    if from.is_empty() {
        return Ok(Vec::new());
    }
    // CROSS JOIN: SQLite would begin with all messages.
    let sql = format!(
        "WITH asked (conversation_id, counted_to, answered) AS (VALUES {})
         SELECT e.conversation_id AS conversation_id, e.event_time AS entry_time, e.type AS what,
             e.actor_subject IS NULL AS by_itself, e.agent_id, e.team_id, e.event_time AS sent_time
         FROM asked k CROSS JOIN conversation_events e
         WHERE e.org_id = $1 AND e.conversation_id = k.conversation_id AND e.event_time > k.counted_to
         UNION ALL
         SELECT m.conversation_id, m.create_time, 'BEGAN', TRUE, CAST(NULL AS UUID), CAST(NULL AS UUID), m.sent_time
         FROM asked k CROSS JOIN messages m
         WHERE m.org_id = $1 AND m.conversation_id = k.conversation_id AND m.position = 1
             AND m.create_time > k.counted_to
         UNION ALL
         SELECT m.conversation_id, m.create_time, 'ANSWERED', TRUE, CAST(NULL AS UUID), CAST(NULL AS UUID), m.sent_time
         FROM asked k CROSS JOIN conversations c CROSS JOIN messages m
         WHERE NOT k.answered AND c.org_id = $1 AND c.conversation_id = k.conversation_id
             AND c.first_reply_time IS NOT NULL AND m.org_id = $1 AND m.conversation_id = c.conversation_id
             AND m.position = (SELECT MIN(o.position) FROM messages o WHERE o.org_id = $1
                 AND o.conversation_id = c.conversation_id AND o.direction = 'OUTBOUND')
             AND m.create_time > k.counted_to
         ORDER BY conversation_id, entry_time LIMIT ${}",
        db::rows(2, from.len(), 3),
        2 + 3 * from.len()
    );
    let mut query = tx.query_dynamic(sql);
    for it in from {
        query = query.bind(it.conversation).bind(it.counted_to).bind(it.answered);
    }
    let rows: Vec<EntryRow> = query.bind(limit).fetch_all(tx).await?;
    Ok(rows.into_iter().map(EntryRow::entry).collect())
}

/// Remembers how conversations stand now that they are counted.
pub async fn save_standings(tx: &mut Tx, all: &[(ConversationId, Standing)]) -> Result<(), DbError> {
    if all.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO report_standings (org_id, conversation_id, counted_to, status, agent_id, team_id, open_time,
             asked_time, answered) VALUES {}
         ON CONFLICT (org_id, conversation_id) DO UPDATE SET counted_to = excluded.counted_to,
             status = excluded.status, agent_id = excluded.agent_id, team_id = excluded.team_id,
             open_time = excluded.open_time, asked_time = excluded.asked_time, answered = excluded.answered",
        db::org_rows(all.len(), 8)
    );
    let mut query = tx.query_dynamic(sql);
    for (id, it) in all {
        query = query
            .bind(*id)
            .bind(it.counted_to)
            .bind(it.status.as_str())
            .bind(it.agent)
            .bind(it.team)
            .bind(it.open_time)
            .bind(it.asked_time)
            .bind(it.answered);
    }
    query.execute(tx).await.map(drop)
}

/// Forgets conversations that are gone.
pub async fn delete_standings(tx: &mut Tx, ids: &[ConversationId]) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM report_standings WHERE org_id = $1 AND conversation_id IN {}",
        list(2, ids.len())
    );
    tx.query_dynamic(sql).bind_all(ids.iter().copied()).execute(tx).await.map(drop)
}

/// Adds what agents and teams did; each slot of each of them once.
pub async fn add_counts(tx: &mut Tx, all: &[((Uuid, Slot), Counts)]) -> Result<(), DbError> {
    let sql = format!(
        "INSERT INTO report_counts (org_id, subject_id, slot, assigned, resolved, opened) VALUES {}
         ON CONFLICT (org_id, subject_id, slot) DO UPDATE SET
             assigned = report_counts.assigned + excluded.assigned,
             resolved = report_counts.resolved + excluded.resolved,
             opened = report_counts.opened + excluded.opened",
        db::org_rows(all.len(), 5)
    );
    let mut query = tx.query_dynamic(sql);
    for ((subject, slot), it) in all {
        query = query.bind(*subject).bind(slot.number()).bind(it.assigned).bind(it.resolved).bind(it.opened);
    }
    query.execute(tx).await.map(drop)
}

/// Adds how long it took; each slot of each of them once.
pub async fn add_waits(tx: &mut Tx, all: &[((Uuid, Slot), Waits)]) -> Result<(), DbError> {
    let sql = format!(
        "INSERT INTO report_times (org_id, subject_id, slot, first_responses, resolutions) VALUES {}
         ON CONFLICT (org_id, subject_id, slot) DO UPDATE SET
             first_responses = report_times.first_responses || excluded.first_responses,
             resolutions = report_times.resolutions || excluded.resolutions",
        db::org_rows(all.len(), 4)
    );
    let mut query = tx.query_dynamic(sql);
    for ((subject, slot), it) in all {
        query = query
            .bind(*subject)
            .bind(slot.number())
            .bind(report_times::written(&it.first_responses))
            .bind(report_times::written(&it.resolutions));
    }
    query.execute(tx).await.map(drop)
}

/// How many were open with an agent or a team when a slot began.
pub async fn count_open(tx: &mut Tx, subject: Uuid, slot: Slot) -> Result<i64, DbError> {
    tx.query(
        "SELECT CAST(COALESCE(SUM(opened), 0) AS BIGINT) FROM report_counts
         WHERE org_id = $1 AND subject_id = $2 AND slot < $3",
    )
    .bind(subject)
    .bind(slot.number())
    .fetch_value(tx)
    .await
}

/// What an agent or a team did, by slot, before `end`.
pub async fn list_counts(
    tx: &mut Tx,
    subject: Uuid,
    begin: Slot,
    end: Slot,
) -> Result<Vec<(Slot, Counts)>, DbError> {
    let rows: Vec<(i64, i64, i64, i64)> = tx
        .query(
            "SELECT slot, assigned, resolved, opened FROM report_counts
             WHERE org_id = $1 AND subject_id = $2 AND slot >= $3 AND slot < $4",
        )
        .bind(subject)
        .bind(begin.number())
        .bind(end.number())
        .fetch_all(tx)
        .await?;
    let counts =
        |(slot, assigned, resolved, opened)| (Slot::numbered(slot), Counts { assigned, resolved, opened });
    Ok(rows.into_iter().map(counts).collect())
}

/// How long it took, by slot, before `end`.
pub async fn list_waits(
    tx: &mut Tx,
    subject: Uuid,
    begin: Slot,
    end: Slot,
) -> Result<Vec<(Slot, Waits)>, DbError> {
    let rows: Vec<(i64, String, String)> = tx
        .query(
            "SELECT slot, first_responses, resolutions FROM report_times
             WHERE org_id = $1 AND subject_id = $2 AND slot >= $3 AND slot < $4",
        )
        .bind(subject)
        .bind(begin.number())
        .bind(end.number())
        .fetch_all(tx)
        .await?;
    rows.into_iter()
        .map(|(slot, first_responses, resolutions)| {
            let waits = Waits {
                first_responses: report_times::read(&first_responses)
                    .ok_or_else(|| unreadable("report_times.first_responses"))?,
                resolutions: report_times::read(&resolutions)
                    .ok_or_else(|| unreadable("report_times.resolutions"))?,
            };
            Ok((Slot::numbered(slot), waits))
        })
        .collect()
}
