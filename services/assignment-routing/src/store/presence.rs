//! Whether agents are there.

use db::{DbError, Engine, Tx};
use kernel::{AgentId, OrgId, Timestamp};

use super::{list, unreadable};
use crate::domain::choose::Availability;
use crate::domain::presence::Presence;

/// As the database spells it.
pub(super) fn spelled(availability: Availability) -> &'static str {
    match availability {
        Availability::Online => "ONLINE",
        Availability::Away => "AWAY",
        Availability::Offline => "OFFLINE",
    }
}

pub(super) fn read(text: &str) -> Result<Availability, DbError> {
    [Availability::Online, Availability::Away, Availability::Offline]
        .into_iter()
        .find(|availability| spelled(*availability) == text)
        .ok_or_else(|| unreadable("presence.availability"))
}

/// Begins with nobody there.
pub async fn insert_presence(
    tx: &mut Tx,
    agent: AgentId,
    presence: Presence,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO presence (org_id, agent_id, availability, pinned, lease_expire_time, change_time)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(agent)
    .bind(spelled(presence.availability))
    .bind(presence.pinned)
    .bind(presence.lease_expire_time)
    .bind(now)
    .execute(tx)
    .await
    .map(drop)
}

/// Writes what was said of an agent. `changed` is when the availability last changed, if it did now: then they missed nothing yet.
pub async fn save_presence(
    tx: &mut Tx,
    agent: AgentId,
    presence: Presence,
    changed: Option<Timestamp>,
) -> Result<(), DbError> {
    tx.query(
        "UPDATE presence SET availability = $3, pinned = $4, lease_expire_time = $5,
             change_time = COALESCE($6, change_time), missed_offers = CASE WHEN $7 THEN 0 ELSE missed_offers END
         WHERE org_id = $1 AND agent_id = $2",
    )
    .bind(agent)
    .bind(spelled(presence.availability))
    .bind(presence.pinned)
    .bind(presence.lease_expire_time)
    .bind(changed)
    .bind(changed.is_some())
    .execute(tx)
    .await
    .map(drop)
}

/// Whose lease is over, of every organization (system scope).
pub async fn list_expired(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<(OrgId, AgentId)>, DbError> {
    tx.query(
        "SELECT org_id, agent_id FROM presence WHERE lease_expire_time <= $1 ORDER BY lease_expire_time LIMIT $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Takes those of these agents offline whose lease still is over; tells which.
pub async fn expire(tx: &mut Tx, agents: &[AgentId], now: Timestamp) -> Result<Vec<AgentId>, DbError> {
    let sql = format!(
        "UPDATE presence SET availability = 'OFFLINE', lease_expire_time = NULL, change_time = $2, missed_offers = 0
         WHERE org_id = $1 AND lease_expire_time <= $2 AND agent_id IN {}
         RETURNING agent_id",
        list(3, agents.len())
    );
    tx.query_dynamic(sql).bind(now).bind_all(agents.iter().copied()).fetch_values(tx).await
}

#[derive(db::FromRow)]
struct PresenceRow {
    availability: String,
    pinned: bool,
    lease_expire_time: Option<Timestamp>,
}

impl PresenceRow {
    fn presence(self) -> Result<Presence, DbError> {
        let PresenceRow { availability, pinned, lease_expire_time } = self;
        Ok(Presence { availability: read(&availability)?, pinned, lease_expire_time })
    }
}

/// Lets nobody else change whether these agents are there, until the transaction ends.
pub async fn lock_all(tx: &mut Tx, agents: &[AgentId]) -> Result<(), DbError> {
    if tx.engine() == Engine::Sqlite || agents.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT agent_id FROM presence WHERE org_id = $1 AND agent_id IN {} ORDER BY agent_id{}",
        list(2, agents.len()),
        super::locks::row_for_update(tx)
    );
    tx.query_dynamic(sql).bind_all(agents.iter().copied()).execute(tx).await.map(drop)
}

/// Agents did not answer so many offers more; says how many in a row these are now. Their rows are locked.
pub async fn add_missed(tx: &mut Tx, more: &[(AgentId, i64)]) -> Result<Vec<(AgentId, i64)>, DbError> {
    if more.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "UPDATE presence AS p SET missed_offers = p.missed_offers + v.column2
         FROM (VALUES {}) AS v WHERE p.org_id = $1 AND p.agent_id = v.column1
         RETURNING agent_id, missed_offers",
        db::rows(2, more.len(), 2)
    );
    let query = tx.query_dynamic(sql);
    more.iter().fold(query, |query, (agent, count)| query.bind(*agent).bind(*count)).fetch_all(tx).await
}

/// Takes those of these agents for away who said that they are there; tells which. A pin or a lease goes on.
pub async fn go_away(tx: &mut Tx, agents: &[AgentId], now: Timestamp) -> Result<Vec<AgentId>, DbError> {
    if agents.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "UPDATE presence SET availability = 'AWAY', change_time = $2, missed_offers = 0
         WHERE org_id = $1 AND availability = 'ONLINE' AND agent_id IN {} RETURNING agent_id",
        list(3, agents.len())
    );
    tx.query_dynamic(sql).bind(now).bind_all(agents.iter().copied()).fetch_values(tx).await
}

/// An agent answered an offer.
pub async fn forget_missed(tx: &mut Tx, agent: AgentId) -> Result<(), DbError> {
    tx.query(
        "UPDATE presence SET missed_offers = 0 WHERE org_id = $1 AND agent_id = $2 AND missed_offers > 0",
    )
    .bind(agent)
    .execute(tx)
    .await
    .map(drop)
}

/// Whether an agent is there.
pub async fn find_presence(tx: &mut Tx, agent: AgentId) -> Result<Option<Presence>, DbError> {
    read_presence(tx, agent, "").await
}

/// Whether an agent is there, about to change.
pub async fn lock_presence(tx: &mut Tx, agent: AgentId) -> Result<Option<Presence>, DbError> {
    let lock = super::locks::row_for_update(tx);
    read_presence(tx, agent, lock).await
}

async fn read_presence(tx: &mut Tx, agent: AgentId, lock: &str) -> Result<Option<Presence>, DbError> {
    let sql = format!(
        "SELECT availability, pinned, lease_expire_time FROM presence WHERE org_id = $1 AND agent_id = $2{lock}"
    );
    let row: Option<PresenceRow> = tx.query_dynamic(sql).bind(agent).fetch_optional(tx).await?;
    row.map(PresenceRow::presence).transpose()
}
