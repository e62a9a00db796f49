//! The namespace of `@`.

use db::{DbError, Tx};
use kernel::{AgentId, TeamId};

use super::list;
use crate::domain::handle::Handle;

/// What a handle names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// An agent.
    Agent(AgentId),
    /// A team.
    Team(TeamId),
}

#[derive(db::FromRow)]
struct Row {
    handle: String,
    agent_id: Option<AgentId>,
    team_id: Option<TeamId>,
}

/// Takes a handle; a unique violation of `handles` says that it is taken.
pub async fn insert_handle(tx: &mut Tx, handle: &Handle, named: Named) -> Result<(), DbError> {
    let (agent, team) = match named {
        Named::Agent(agent) => (Some(agent), None),
        Named::Team(team) => (None, Some(team)),
    };
    tx.query("INSERT INTO handles (org_id, handle, agent_id, team_id) VALUES ($1, $2, $3, $4)")
        .bind(handle.as_str())
        .bind(agent)
        .bind(team)
        .execute(tx)
        .await
        .map(drop)
}

/// Gives a handle back.
pub async fn delete_handle(tx: &mut Tx, handle: &Handle) -> Result<(), DbError> {
    tx.query("DELETE FROM handles WHERE org_id = $1 AND handle = $2")
        .bind(handle.as_str())
        .execute(tx)
        .await
        .map(drop)
}

/// What each of these handles names; those that name nothing are left out.
pub async fn list_handles(tx: &mut Tx, handles: &[String]) -> Result<Vec<(String, Named)>, DbError> {
    if handles.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT handle, agent_id, team_id FROM handles WHERE org_id = $1 AND handle IN {}",
        list(2, handles.len())
    );
    let rows: Vec<Row> =
        tx.query_dynamic(sql).bind_all(handles.iter().map(String::as_str)).fetch_all(tx).await?;
    let named = |row: Row| {
        let named = row.agent_id.map(Named::Agent).or(row.team_id.map(Named::Team))?;
        Some((row.handle, named))
    };
    Ok(rows.into_iter().filter_map(named).collect())
}
