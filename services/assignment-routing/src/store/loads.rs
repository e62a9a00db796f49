//! How much each agent has open, and how much they get at once (R3).

use std::collections::BTreeMap;

use db::{DbError, Tx};
use kernel::{AgentId, ConversationId, TeamId, Timestamp};

use super::list;
use crate::domain::batch::Gift;
use crate::domain::load::{Load, Room};

/// The capacity of an agent `a`, with the organization's settings `s`: 0 is no limit.
pub(super) const CAPACITY: &str =
    "CASE WHEN a.capacity_units > 0 THEN a.capacity_units ELSE COALESCE(s.default_capacity_units, 0) END";

/// What an agent with the load `l` has of their capacity, or has reserved.
pub(super) const TAKEN: &str = "l.open_count + l.extra_units + l.offered_units";

/// Adds to what agents have open or reserved, and takes from it, whatever their capacity. Several rows are locked in order before
/// ([`super::locks::lock_loads`]).
pub async fn add_loads(tx: &mut Tx, loads: &BTreeMap<AgentId, Load>, now: Timestamp) -> Result<(), DbError> {
    if loads.is_empty() {
        return Ok(());
    }
    // Units that a program without any has taken or given are forgotten when nothing is open.
    let sql = format!(
        "UPDATE loads AS l SET open_count = l.open_count + v.column2,
             extra_units = CASE WHEN l.open_count + v.column2 <= 0 OR l.extra_units + v.column3 < 0 THEN 0
                 ELSE l.extra_units + v.column3 END,
             last_assign_time = CASE WHEN v.column2 > 0 THEN v.column4 ELSE l.last_assign_time END,
             offered_count = l.offered_count + v.column5, offered_units = l.offered_units + v.column6
         FROM (VALUES {}) AS v WHERE l.org_id = $1 AND l.agent_id = v.column1",
        db::rows(2, loads.len(), 6)
    );
    let mut query = tx.query_dynamic(sql);
    for (agent, load) in loads {
        query = query
            .bind(*agent)
            .bind(load.conversations)
            .bind(load.units - load.conversations)
            .bind(now)
            .bind(load.offers)
            .bind(load.offered_units);
    }
    query.execute(tx).await.map(drop)
}

/// Adds what a queue gave or offered, as far as it is within each one's capacity; says to how many it was added. Their rows are locked.
pub async fn give_loads(tx: &mut Tx, gifts: &BTreeMap<AgentId, Gift>) -> Result<u64, DbError> {
    let sql = format!(
        "UPDATE loads AS l SET open_count = l.open_count + v.column2, extra_units = l.extra_units + v.column3,
             last_assign_time = v.column5, given_since = v.column6,
             given_count = CASE WHEN l.given_since = v.column6 THEN l.given_count ELSE 0 END + v.column2,
             offered_count = l.offered_count + v.column7, offered_units = l.offered_units + v.column8
         FROM (VALUES {}) AS v
         WHERE l.org_id = $1 AND l.agent_id = v.column1
             AND (v.column4 = 0 OR {TAKEN} + v.column2 + v.column3 + v.column8 <= v.column4)",
        db::rows(2, gifts.len(), 8)
    );
    let mut query = tx.query_dynamic(sql);
    for (agent, gift) in gifts {
        query = query
            .bind(*agent)
            .bind(gift.load.conversations)
            .bind(gift.load.units - gift.load.conversations)
            .bind(gift.capacity)
            .bind(gift.last)
            .bind(gift.came_online)
            .bind(gift.load.offers)
            .bind(gift.load.offered_units);
    }
    query.execute(tx).await
}

/// An agent accepted what a queue offered: it counts among what they were given since they are there.
pub async fn count_accepted(tx: &mut Tx, agent: AgentId) -> Result<(), DbError> {
    tx.query(
        "UPDATE loads AS l SET given_since = p.change_time,
             given_count = CASE WHEN l.given_since = p.change_time THEN l.given_count ELSE 0 END + 1
         FROM presence p WHERE l.org_id = $1 AND l.agent_id = $2 AND p.org_id = l.org_id AND p.agent_id = l.agent_id",
    )
    .bind(agent)
    .execute(tx)
    .await
    .map(drop)
}

/// What an agent has open or reserved, but for offers of these conversations, and how much they get by themselves.
pub async fn find_room(
    tx: &mut Tx,
    agent: AgentId,
    conversations: &[ConversationId],
) -> Result<Room, DbError> {
    let sql = format!(
        "SELECT {TAKEN} - (SELECT CAST(COALESCE(SUM(o.units), 0) AS BIGINT) FROM offers o
                 WHERE o.org_id = $1 AND o.agent_id = $2 AND o.state = 'OPEN' AND o.conversation_id IN {}) AS units,
             {CAPACITY} AS capacity
         FROM loads l JOIN agents a ON a.org_id = l.org_id AND a.agent_id = l.agent_id
         LEFT JOIN settings s ON s.org_id = l.org_id WHERE l.org_id = $1 AND l.agent_id = $2",
        list(3, conversations.len())
    );
    let query = tx.query_dynamic(sql).bind(agent).bind_all(conversations.iter().copied());
    let found: Option<(i64, i64)> = query.fetch_optional(tx).await?;
    Ok(found.map(|(units, capacity)| Room { units, capacity }).unwrap_or_default())
}

/// The teams of these agents in whose queues something waits, as far as what the agents get is limited: where it is not,
/// nothing waits because they had too much.
pub async fn list_waiting_for(tx: &mut Tx, agents: &[AgentId]) -> Result<Vec<TeamId>, DbError> {
    if agents.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT DISTINCT m.team_id FROM team_members m
         JOIN agents a ON a.org_id = m.org_id AND a.agent_id = m.agent_id
         LEFT JOIN settings s ON s.org_id = m.org_id
         WHERE m.org_id = $1 AND m.agent_id IN {} AND {CAPACITY} > 0
             AND EXISTS (SELECT 1 FROM queue q WHERE q.org_id = m.org_id AND q.team_id = m.team_id)",
        list(2, agents.len())
    );
    tx.query_dynamic(sql).bind_all(agents.iter().copied()).fetch_values(tx).await
}
