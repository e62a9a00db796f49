//! The table `contact_activities`.

use db::{DbError, Json, Tx, org_rows};
use kernel::{ContactId, OrgId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::{Activity, ActivityId, Actor, Happened};

/// Rows per statement: SQLite's time for one grows with the square of its values.
const ROWS: usize = 500;

/// What of an activity nobody asks the database for.
#[derive(Serialize, Deserialize)]
struct Body<A, H> {
    actor: A,
    happened: H,
}

#[derive(db::FromRow)]
struct ActivityRow {
    activity_id: ActivityId,
    contact_id: ContactId,
    occur_time: Timestamp,
    body: Json<Body<Option<Actor>, Happened>>,
}

impl From<ActivityRow> for Activity {
    fn from(row: ActivityRow) -> Self {
        let ActivityRow { activity_id, contact_id, occur_time, body: Json(Body { actor, happened }) } = row;
        Self { activity_id, contact_id, occur_time, actor, happened }
    }
}

/// Keeps what happened. What is there already under its id and time stays as it is.
///
/// # Errors
/// [`DbError::ForeignKey`] where there is no such contact.
pub async fn record(tx: &mut Tx, activities: &[Activity]) -> Result<(), DbError> {
    for some in activities.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO contact_activities (org_id, contact_id, occur_time, activity_id, body) VALUES {} \
             ON CONFLICT DO NOTHING",
            org_rows(some.len(), 4)
        );
        let mut query = tx.query_dynamic(sql);
        for Activity { activity_id, contact_id, occur_time, actor, happened } in some {
            let body = Json(Body { actor, happened });
            query = query.bind(*contact_id).bind(*occur_time).bind(*activity_id).bind(body);
        }
        query.execute(tx).await?;
    }
    Ok(())
}

/// A place in the list of a contact's activities.
pub type Place = (Timestamp, ActivityId);

/// What happened around a contact before a place, newest first, at most `limit`.
///
/// # Errors
/// As for every statement.
pub async fn list(
    tx: &mut Tx,
    contact: ContactId,
    before: Place,
    limit: i64,
) -> Result<Vec<Activity>, DbError> {
    const SQL: &str = "SELECT activity_id, contact_id, occur_time, body FROM contact_activities
        WHERE org_id = $1 AND contact_id = $2 AND (occur_time, activity_id) < ($3, $4)
        ORDER BY occur_time DESC, activity_id DESC LIMIT $5";
    let query = tx.query(SQL).bind(contact).bind(before.0).bind(before.1).bind(limit);
    let rows: Vec<ActivityRow> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(Activity::from).collect())
}

/// The first organization after this one that keeps activities. In system scope; nothing sorts before the empty text.
///
/// # Errors
/// As for every statement.
pub async fn find_org_after(tx: &mut Tx, org: &str) -> Result<Option<OrgId>, DbError> {
    const SQL: &str = "SELECT org_id FROM contact_activities WHERE org_id > $1 ORDER BY org_id LIMIT 1";
    tx.query(SQL).bind(org).fetch_optional_value(tx).await
}

/// Deletes at most `limit` of what happened before a moment, oldest first; tells how many.
///
/// # Errors
/// As for every statement.
pub async fn forget(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, DbError> {
    const SQL: &str = "WITH doomed AS MATERIALIZED (
            SELECT contact_id, occur_time, activity_id FROM contact_activities
            WHERE org_id = $1 AND occur_time < $2 ORDER BY occur_time LIMIT $3)
        DELETE FROM contact_activities WHERE org_id = $1 AND (contact_id, occur_time, activity_id) IN (
            SELECT contact_id, occur_time, activity_id FROM doomed)";
    tx.query(SQL).bind(before).bind(limit).execute(tx).await
}
