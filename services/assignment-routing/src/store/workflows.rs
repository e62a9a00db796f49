//! Workflows, stored whole.

use db::{DbError, Json, Tx};
use kernel::{TeamId, Timestamp, WorkflowId};

use crate::domain::workflow::Workflow;

/// The place of a workflow in the running order.
pub type Position = (i64, Timestamp, WorkflowId);

/// The revision of the organization's set: 0 before the first workflow.
pub async fn find_revision(tx: &mut Tx) -> Result<i64, DbError> {
    let revision: Option<i64> =
        tx.query("SELECT revision FROM workflow_sets WHERE org_id = $1").fetch_optional_value(tx).await?;
    Ok(revision.unwrap_or(0))
}

/// Begins a change of the set. Whoever changes it next waits until this transaction ends.
pub async fn bump_revision(tx: &mut Tx) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO workflow_sets (org_id, revision) VALUES ($1, 1)
         ON CONFLICT (org_id) DO UPDATE SET revision = workflow_sets.revision + 1",
    )
    .execute(tx)
    .await
    .map(drop)
}

/// How many the organization has.
pub async fn count_workflows(tx: &mut Tx) -> Result<i64, DbError> {
    tx.query("SELECT COUNT(*) FROM workflows WHERE org_id = $1").fetch_value(tx).await
}

/// A workflow as it is stored. While a newer program is at work beside this one, there may be some that this one cannot read.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// One that it can.
    Known(Box<Workflow>),
    /// One that it cannot, as text.
    Newer(String),
}

impl Stored {
    /// Whether it names a team.
    #[must_use]
    pub fn names(&self, team: TeamId) -> bool {
        match self {
            Self::Known(workflow) => workflow.actions.iter().any(|action| action.team() == Some(team)),
            Self::Newer(text) => text.contains(&team.to_string()),
        }
    }
}

/// Every workflow of the organization.
pub async fn list_all(tx: &mut Tx) -> Result<Vec<Stored>, DbError> {
    let bodies: Vec<Json<serde_json::Value>> =
        tx.query("SELECT body FROM workflows WHERE org_id = $1").fetch_values(tx).await?;
    let stored = |body: Json<serde_json::Value>| match serde_json::from_value(body.0.clone()) {
        Ok(workflow) => Stored::Known(Box::new(workflow)),
        Err(_) => Stored::Newer(body.0.to_string()),
    };
    Ok(bodies.into_iter().map(stored).collect())
}

/// A page in running order.
pub async fn list_workflows(
    tx: &mut Tx,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<Workflow>, DbError> {
    let first = (-1, Timestamp::from_micros(i64::MIN), WorkflowId::from_uuid(uuid::Uuid::nil()));
    let (position, create_time, id) = after.unwrap_or(first);
    let bodies: Vec<Json<Workflow>> = tx
        .query(
            "SELECT body FROM workflows WHERE org_id = $1 AND (position, create_time, workflow_id) > ($2, $3, $4)
             ORDER BY position, create_time, workflow_id LIMIT $5",
        )
        .bind(position)
        .bind(create_time)
        .bind(id)
        .bind(limit)
        .fetch_values(tx)
        .await?;
    Ok(bodies.into_iter().map(|body| body.0).collect())
}

/// Reads one workflow.
pub async fn find_workflow(tx: &mut Tx, id: WorkflowId) -> Result<Option<Workflow>, DbError> {
    let body: Option<Json<Workflow>> = tx
        .query("SELECT body FROM workflows WHERE org_id = $1 AND workflow_id = $2")
        .bind(id)
        .fetch_optional_value(tx)
        .await?;
    Ok(body.map(|body| body.0))
}

/// Makes a workflow.
pub async fn insert_workflow(tx: &mut Tx, workflow: &Workflow) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO workflows (org_id, workflow_id, version, position, create_time, body)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(workflow.id)
    .bind(workflow.version)
    .bind(i64::from(workflow.position))
    .bind(workflow.create_time)
    .bind(Json(workflow))
    .execute(tx)
    .await
    .map(drop)
}

/// Writes a changed workflow if the row still has the version before; says whether it had.
pub async fn save_workflow(tx: &mut Tx, workflow: &Workflow) -> Result<bool, DbError> {
    let saved = tx
        .query(
            "UPDATE workflows SET version = $4, position = $5, body = $6
             WHERE org_id = $1 AND workflow_id = $2 AND version = $3",
        )
        .bind(workflow.id)
        .bind(workflow.version - 1)
        .bind(workflow.version)
        .bind(i64::from(workflow.position))
        .bind(Json(workflow))
        .execute(tx)
        .await?;
    Ok(saved == 1)
}

/// Removes a workflow.
pub async fn delete_workflow(tx: &mut Tx, id: WorkflowId) -> Result<(), DbError> {
    tx.query("DELETE FROM workflows WHERE org_id = $1 AND workflow_id = $2")
        .bind(id)
        .execute(tx)
        .await
        .map(drop)
}
