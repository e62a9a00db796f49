//! What those who wait in a queue ask for: each demand once, whoever asks for it, and the first of each. Who asks for what
//! nobody has is passed over without being looked at.

use db::{DbError, Json, Tx};
use kernel::{ConversationId, TeamId, Timestamp};

use super::locks;
use crate::domain::sharing::Sharing;

/// The demands of a team's queue in the order of their words, at most `limit`. Each is one look into the index, however many
/// ask for it.
pub async fn list_demands(tx: &mut Tx, team: TeamId, limit: i64) -> Result<Vec<String>, DbError> {
    tx.query(
        "WITH RECURSIVE d(demand) AS (
             SELECT MIN(q.demand) FROM queue q WHERE q.org_id = $1 AND q.team_id = $2
             UNION ALL
             SELECT (SELECT MIN(q.demand) FROM queue q
                 WHERE q.org_id = $1 AND q.team_id = $2 AND q.demand > d.demand)
             FROM d WHERE d.demand IS NOT NULL)
         SELECT d.demand FROM d WHERE d.demand IS NOT NULL LIMIT $3",
    )
    .bind(team)
    .bind(limit)
    .fetch_values(tx)
    .await
}

/// Somebody who waits, and what they ask for.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct Asking {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The word of its demand.
    pub demand: String,
}

/// Who asks for one of these: the first `each` of each, in the order in which all of them are served.
pub async fn list_asking(
    tx: &mut Tx,
    team: TeamId,
    demands: &[String],
    each: i64,
) -> Result<Vec<Asking>, DbError> {
    if demands.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<String> = (0..demands.len())
        .map(|place| {
            format!(
                "SELECT * FROM (SELECT q.conversation_id, q.demand, q.priority, q.queue_time FROM queue q
                     WHERE q.org_id = $1 AND q.team_id = $2 AND q.demand = ${} AND NOT q.offered
                     ORDER BY -q.priority, q.queue_time, q.conversation_id LIMIT $3) d{place}",
                place + 4
            )
        })
        .collect();
    let sql = format!(
        "SELECT u.conversation_id, u.demand FROM ({}) u ORDER BY -u.priority, u.queue_time, u.conversation_id",
        parts.join(" UNION ALL ")
    );
    tx.query_dynamic(sql).bind(team).bind(each).bind_all(demands.iter().cloned()).fetch_all(tx).await
}

/// Somebody of whom less is asked by now.
#[derive(Debug, Clone, db::FromRow)]
pub struct Relaxing {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// What it costs.
    pub units: i64,
    /// How it is shared.
    pub sharing: Option<Json<Sharing>>,
    /// Since when it waits.
    pub queue_time: Timestamp,
}

/// Those of a team's queue of whom less is to be asked by now, at most `limit`. Their places are locked.
pub async fn list_relaxing(
    tx: &mut Tx,
    team: TeamId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Relaxing>, DbError> {
    let sql = format!(
        "SELECT q.conversation_id, c.units, c.sharing, q.queue_time
         FROM queue q JOIN conversations c ON c.org_id = q.org_id AND c.conversation_id = q.conversation_id
         WHERE q.org_id = $1 AND q.team_id = $2 AND q.relax_time <= $3 ORDER BY q.relax_time LIMIT $4{}",
        locks::free_places_for_update(tx)
    );
    tx.query_dynamic(sql).bind(team).bind(now).bind(limit).fetch_all(tx).await
}

/// What somebody asks for from now on, and when it is less again.
#[derive(Debug, Clone)]
pub struct Relaxed {
    /// The conversation.
    pub conversation: ConversationId,
    /// The word of its demand.
    pub demand: String,
    /// When less is asked for; `None`: never.
    pub relax_time: Option<Timestamp>,
}

/// Notes what they ask for from now on.
pub async fn relax(tx: &mut Tx, relaxed: &[Relaxed]) -> Result<(), DbError> {
    if relaxed.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE queue AS q SET demand = v.column2, relax_time = v.column3 FROM (VALUES {}) AS v
         WHERE q.org_id = $1 AND q.conversation_id = v.column1",
        db::rows(2, relaxed.len(), 3)
    );
    let mut query = tx.query_dynamic(sql);
    for it in relaxed {
        query = query.bind(it.conversation).bind(it.demand.as_str()).bind(it.relax_time);
    }
    query.execute(tx).await.map(drop)
}
