//! What people and organizations chose; one row each, or none while they chose nothing.

use std::collections::HashMap;

use db::{DbError, Json, Tx};
use kernel::{Subject, Timestamp};

use crate::domain::preferences::{Chosen, Defaults, Preferences};

/// A person's preferences.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn find(tx: &mut Tx, subject: &Subject) -> Result<Chosen<Preferences>, DbError> {
    let row: Option<(Json<Preferences>, i64, Timestamp)> = tx
        .query("SELECT chosen, version, update_time FROM preferences WHERE org_id = $1 AND subject = $2")
        .bind(subject)
        .fetch_optional(tx)
        .await?;
    Ok(row.map(chosen).unwrap_or_default())
}

/// The preferences of those of these people who have any.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn of_people(tx: &mut Tx, subjects: &[Subject]) -> Result<HashMap<Subject, Preferences>, DbError> {
    if subjects.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT subject, chosen FROM preferences WHERE org_id = $1 AND subject IN {}",
        db::rows(2, 1, subjects.len())
    );
    let rows: Vec<(Subject, Json<Preferences>)> =
        tx.query_dynamic(sql).bind_all(subjects).fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(subject, chosen)| (subject, chosen.0)).collect())
}

/// Stores preferences that were decided over those of version `before`; false if they are not those any more.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn save(
    tx: &mut Tx,
    subject: &Subject,
    chosen: &Preferences,
    before: i64,
    now: Timestamp,
) -> Result<bool, DbError> {
    let saved = tx
        .query(
            "INSERT INTO preferences (org_id, subject, chosen, version, update_time) VALUES ($1, $2, $3, $4 + 1, $5)
             ON CONFLICT (org_id, subject) DO UPDATE SET
                 chosen = excluded.chosen, version = excluded.version, update_time = excluded.update_time
             WHERE preferences.version = $4",
        )
        .bind(subject)
        .bind(Json(chosen.clone()))
        .bind(before)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(saved == 1)
}

/// What the organization chose for its people.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn find_defaults(tx: &mut Tx) -> Result<Chosen<Defaults>, DbError> {
    let row: Option<(Json<Defaults>, i64, Timestamp)> = tx
        .query("SELECT chosen, version, update_time FROM organization_preferences WHERE org_id = $1")
        .fetch_optional(tx)
        .await?;
    Ok(row.map(chosen).unwrap_or_default())
}

/// Stores what was decided over what had version `before`; false if it has not any more.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn save_defaults(
    tx: &mut Tx,
    chosen: &Defaults,
    before: i64,
    now: Timestamp,
) -> Result<bool, DbError> {
    let saved = tx
        .query(
            "INSERT INTO organization_preferences (org_id, chosen, version, update_time) VALUES ($1, $2, $3 + 1, $4)
             ON CONFLICT (org_id) DO UPDATE SET
                 chosen = excluded.chosen, version = excluded.version, update_time = excluded.update_time
             WHERE organization_preferences.version = $3",
        )
        .bind(Json(chosen.clone()))
        .bind(before)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(saved == 1)
}

fn chosen<T>((chosen, version, update_time): (Json<T>, i64, Timestamp)) -> Chosen<T> {
    Chosen { chosen: chosen.0, version, update_time: Some(update_time) }
}
