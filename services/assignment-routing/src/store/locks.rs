//! The locks around assignment; the one place where the databases differ.
//!
//! Order, everywhere, so that nobody waits crosswise: teams (sorted), conversations, loads (sorted by agent).

use db::{DbError, Engine, Tx};
use kernel::{AgentId, TeamId};

use super::list;

/// Makes the transaction the only one that assigns for these teams, until it ends. It must be the transaction's first
/// statement: what is read afterwards is then what the one before left behind. SQLite's writer is alone anyway.
pub async fn lock_teams(tx: &mut Tx, teams: &[TeamId]) -> Result<(), DbError> {
    if tx.engine() == Engine::Sqlite {
        return Ok(());
    }
    let mut sorted = teams.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    for team in sorted {
        // The key holds the schema, since advisory locks belong to the whole database.
        tx.query(
            "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' ' || $1 || ' ' || $2, 0))",
        )
        .bind(team.to_string())
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// Makes the transaction the only one that changes an agent's profile. What is read afterwards is current.
pub async fn lock_agent(tx: &mut Tx, agent: AgentId) -> Result<(), DbError> {
    let sql = format!("SELECT 1 FROM agents WHERE org_id = $1 AND agent_id = $2{}", row_for_update(tx));
    tx.query_dynamic(sql).bind(agent).execute(tx).await.map(drop)
}

/// Makes the transaction the only one that changes a team. What is read afterwards is current.
pub async fn lock_team(tx: &mut Tx, team: TeamId) -> Result<(), DbError> {
    let sql = format!("SELECT 1 FROM teams WHERE org_id = $1 AND team_id = $2{}", row_for_update(tx));
    tx.query_dynamic(sql).bind(team).execute(tx).await.map(drop)
}

/// Behind a SELECT of conversations as `c` that are about to change.
pub fn conversations_for_update(tx: &Tx) -> &'static str {
    match tx.engine() {
        Engine::Sqlite => "",
        Engine::Postgres => " FOR UPDATE OF c",
    }
}

/// As [`conversations_for_update`], without those that somebody else holds: for when loads are locked by now, which whoever
/// holds one may wait for.
pub fn free_conversations_for_update(tx: &Tx) -> &'static str {
    match tx.engine() {
        Engine::Sqlite => "",
        Engine::Postgres => " FOR UPDATE OF c SKIP LOCKED",
    }
}

/// Behind a SELECT of places in queues as `q` that are about to change, when loads are locked by now.
pub fn free_places_for_update(tx: &Tx) -> &'static str {
    match tx.engine() {
        Engine::Sqlite => "",
        Engine::Postgres => " FOR UPDATE OF q SKIP LOCKED",
    }
}

/// Behind a SELECT from one table whose rows are about to change, though not their keys: who only refers to one goes on.
pub fn row_for_update(tx: &Tx) -> &'static str {
    match tx.engine() {
        Engine::Sqlite => "",
        Engine::Postgres => " FOR NO KEY UPDATE",
    }
}

/// Behind a SELECT of loads as `l`, ordered by agent, that are about to change.
pub fn loads_for_update(tx: &Tx) -> &'static str {
    match tx.engine() {
        Engine::Sqlite => "",
        Engine::Postgres => " FOR UPDATE OF l",
    }
}

/// Locks the loads of several agents in their order: a statement that changes several rows locks them in any order.
pub async fn lock_loads(tx: &mut Tx, agents: &[AgentId]) -> Result<(), DbError> {
    if tx.engine() == Engine::Sqlite || agents.len() < 2 {
        return Ok(());
    }
    let sql = format!(
        "SELECT l.agent_id FROM loads l WHERE l.org_id = $1 AND l.agent_id IN {} ORDER BY l.agent_id FOR UPDATE",
        list(2, agents.len())
    );
    tx.query_dynamic(sql).bind_all(agents.iter().copied()).execute(tx).await.map(drop)
}
