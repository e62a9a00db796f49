//! Whether agents are there.

use db::{DbError, Tx};
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

/// Writes what was said of an agent. `changed` is when the availability last changed, if it did now.
pub async fn save_presence(
    tx: &mut Tx,
    agent: AgentId,
    presence: Presence,
    changed: Option<Timestamp>,
) -> Result<(), DbError> {
    tx.query(
        "UPDATE presence SET availability = $3, pinned = $4, lease_expire_time = $5,
             change_time = COALESCE($6, change_time)
         WHERE org_id = $1 AND agent_id = $2",
    )
    .bind(agent)
    .bind(spelled(presence.availability))
    .bind(presence.pinned)
    .bind(presence.lease_expire_time)
    .bind(changed)
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
        "UPDATE presence SET availability = 'OFFLINE', lease_expire_time = NULL, change_time = $2
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
    row.map(|row| {
        let PresenceRow { availability, pinned, lease_expire_time } = row;
        Ok(Presence { availability: read(&availability)?, pinned, lease_expire_time })
    })
    .transpose()
}
