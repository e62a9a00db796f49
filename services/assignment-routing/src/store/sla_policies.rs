//! Targets, stored whole.

use db::{DbError, Json, Tx};
use kernel::Timestamp;

use crate::domain::sla::{SlaPolicy, SlaPolicyId};

/// The place of a policy in the order in which they are tried.
pub type Position = (i64, Timestamp, SlaPolicyId);

/// How many the organization has.
pub async fn count_policies(tx: &mut Tx) -> Result<i64, DbError> {
    tx.query("SELECT COUNT(*) FROM sla_policies WHERE org_id = $1").fetch_value(tx).await
}

/// Every policy of the organization.
pub async fn list_all(tx: &mut Tx) -> Result<Vec<SlaPolicy>, DbError> {
    let bodies: Vec<Json<SlaPolicy>> =
        tx.query("SELECT body FROM sla_policies WHERE org_id = $1").fetch_values(tx).await?;
    Ok(bodies.into_iter().map(|body| body.0).collect())
}

/// A page in the order in which they are tried.
pub async fn list_policies(
    tx: &mut Tx,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<SlaPolicy>, DbError> {
    let first = (-1, Timestamp::from_micros(i64::MIN), SlaPolicyId::from_uuid(uuid::Uuid::nil()));
    let (position, create_time, id) = after.unwrap_or(first);
    let bodies: Vec<Json<SlaPolicy>> = tx
        .query(
            "SELECT body FROM sla_policies
             WHERE org_id = $1 AND (position, create_time, sla_policy_id) > ($2, $3, $4)
             ORDER BY position, create_time, sla_policy_id LIMIT $5",
        )
        .bind(position)
        .bind(create_time)
        .bind(id)
        .bind(limit)
        .fetch_values(tx)
        .await?;
    Ok(bodies.into_iter().map(|body| body.0).collect())
}

/// Reads one policy.
pub async fn find_policy(tx: &mut Tx, id: SlaPolicyId) -> Result<Option<SlaPolicy>, DbError> {
    let body: Option<Json<SlaPolicy>> = tx
        .query("SELECT body FROM sla_policies WHERE org_id = $1 AND sla_policy_id = $2")
        .bind(id)
        .fetch_optional_value(tx)
        .await?;
    Ok(body.map(|body| body.0))
}

/// Makes a policy.
pub async fn insert_policy(tx: &mut Tx, policy: &SlaPolicy) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO sla_policies (org_id, sla_policy_id, version, position, create_time, body)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(policy.id)
    .bind(policy.version)
    .bind(i64::from(policy.position))
    .bind(policy.create_time)
    .bind(Json(policy))
    .execute(tx)
    .await
    .map(drop)
}

/// Writes a changed policy if the row still has the version before; says whether it had.
pub async fn save_policy(tx: &mut Tx, policy: &SlaPolicy) -> Result<bool, DbError> {
    let saved = tx
        .query(
            "UPDATE sla_policies SET version = $4, position = $5, body = $6
             WHERE org_id = $1 AND sla_policy_id = $2 AND version = $3",
        )
        .bind(policy.id)
        .bind(policy.version - 1)
        .bind(policy.version)
        .bind(i64::from(policy.position))
        .bind(Json(policy))
        .execute(tx)
        .await?;
    Ok(saved == 1)
}

/// Removes a policy.
pub async fn delete_policy(tx: &mut Tx, id: SlaPolicyId) -> Result<(), DbError> {
    tx.query("DELETE FROM sla_policies WHERE org_id = $1 AND sla_policy_id = $2")
        .bind(id)
        .execute(tx)
        .await
        .map(drop)
}
