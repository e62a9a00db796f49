//! What was planned for entries of feeds, and what is to be.

use std::collections::{BTreeSet, HashMap, HashSet};

use db::{DbError, Engine, Json, Tx};
use kernel::{OrgId, Subject, Timestamp};
use serde_json::Value;

use super::destinations::{self, Queue};
use super::row::{Row, columns};
use crate::domain::bundle::BundleId;
use crate::domain::delivery::DeliveryId;
use crate::domain::plan::Plan;
use crate::domain::recent::Recent;
use crate::domain::{Notification, Sequence};

/// At most `limit` feeds with entries that are not planned: first the one of each organization that waits for longest, organizations in
/// the order of their names from behind `turn` on, then the next one of each, and so on up to the share of each (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn list_behind(
    tx: &mut Tx,
    turn: &str,
    share: i64,
    limit: i64,
) -> Result<Vec<(OrgId, Subject)>, DbError> {
    tx.query(
        "SELECT org_id, subject FROM (
             SELECT org_id, subject, row_number() OVER (PARTITION BY org_id ORDER BY behind_since, subject) AS place
             FROM feed_heads WHERE planned_through < sequence) AS behind
         WHERE place <= $1 ORDER BY place, org_id <= $3, org_id LIMIT $2",
    )
    .bind(share)
    .bind(limit)
    .bind(turn.to_owned())
    .fetch_all(tx)
    .await
}

/// Locks those of these people's heads that are behind, until the commit; those which somebody else has locked are passed over: there
/// is another round.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn lock_behind(tx: &mut Tx, subjects: &[Subject]) -> Result<Vec<Behind>, DbError> {
    let lock = match tx.engine() {
        Engine::Postgres => " FOR UPDATE SKIP LOCKED",
        Engine::Sqlite => "",
    };
    let sql = format!(
        "SELECT subject, sequence, planned_through FROM feed_heads
         WHERE org_id = $1 AND planned_through < sequence AND subject IN {} ORDER BY subject{lock}",
        db::rows(2, 1, subjects.len())
    );
    tx.query_dynamic(sql).bind_all(subjects).fetch_all(tx).await
}

/// A feed with entries that are not planned.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct Behind {
    /// Whose.
    pub subject: Subject,
    /// Of its newest entry.
    pub sequence: Sequence,
    /// Up to which entry everything is planned.
    pub planned_through: Sequence,
}

#[derive(db::FromRow)]
struct EntryRow {
    subject: Subject,
    #[sqlx(flatten)]
    row: Row,
}

/// The entries behind each of these places, at most so many places further, in the order of each feed.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn list_unplanned(
    tx: &mut Tx,
    subjects: &[Subject],
    places: i64,
) -> Result<Vec<(Subject, Notification)>, DbError> {
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        concat!(
            "SELECT subject, ",
            columns!(),
            " FROM (SELECT subject AS reader, planned_through FROM feed_heads
                 WHERE org_id = $1 AND subject IN {}) AS behind
             JOIN feed_entries ON org_id = $1 AND subject = reader
                 AND sequence > planned_through AND sequence <= planned_through + $2
             ORDER BY subject, sequence"
        ),
        db::rows(3, 1, subjects.len())
    );
    let query = tx.query_dynamic(sql).bind(places).bind_all(subjects);
    let rows: Vec<EntryRow> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.subject, row.row.into())).collect())
}

/// Moves the places up to which everything is planned: each to the place given. A feed with more behind it waits anew from now on.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn move_through(
    tx: &mut Tx,
    places: &[(Subject, Sequence)],
    now: Timestamp,
) -> Result<(), DbError> {
    for rows in places.chunks(db::ROWS) {
        let sql = format!(
            "WITH planned (subject, through) AS (VALUES {})
             UPDATE feed_heads SET planned_through = planned.through, behind_since = ${} FROM planned
             WHERE feed_heads.org_id = $1 AND feed_heads.subject = planned.subject",
            db::rows(2, rows.len(), 2),
            2 + 2 * rows.len()
        );
        let query = rows
            .iter()
            .fold(tx.query_dynamic(sql), |query, (subject, through)| query.bind(subject).bind(*through));
        query.bind(now).execute(tx).await?;
    }
    Ok(())
}

/// What these people were told lately.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn list_recent(tx: &mut Tx, subjects: &[Subject]) -> Result<HashMap<Subject, Recent>, DbError> {
    if subjects.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT subject, recent FROM plan_states WHERE org_id = $1 AND subject IN {}",
        db::rows(2, 1, subjects.len())
    );
    let rows: Vec<(Subject, Json<Value>)> = tx.query_dynamic(sql).bind_all(subjects).fetch_all(tx).await?;
    // What another version wrote and this one cannot read is worth a storm told singly, not more.
    let recent = |stored: Value| serde_json::from_value(stored).unwrap_or_default();
    Ok(rows.into_iter().map(|(subject, stored)| (subject, recent(stored.0))).collect())
}

/// Stores what people were told lately.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn put_recent(tx: &mut Tx, people: &[(Subject, Recent)]) -> Result<(), DbError> {
    for rows in people.chunks(db::ROWS) {
        let sql = format!(
            "INSERT INTO plan_states (org_id, subject, recent) VALUES {}
             ON CONFLICT (org_id, subject) DO UPDATE SET recent = excluded.recent",
            db::org_rows(rows.len(), 2)
        );
        let query = rows.iter().fold(tx.query_dynamic(sql), |query, (subject, recent)| {
            query.bind(subject).bind(Json(recent.clone()))
        });
        query.execute(tx).await?;
    }
    Ok(())
}

/// A plan for an entry.
#[derive(Debug, Clone)]
pub struct EntryPlan {
    /// Whose.
    pub subject: Subject,
    /// Which entry.
    pub sequence: Sequence,
    /// The plan.
    pub plan: Plan,
}

/// Adds plans. A plan that is there already stays.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn insert(tx: &mut Tx, plans: &[EntryPlan], now: Timestamp) -> Result<(), DbError> {
    for rows in plans.chunks(db::ROWS) {
        let sql = format!(
            "INSERT INTO plans (org_id, subject, sequence, plan, email_bundle, push_bundle, plan_time) VALUES {}
             ON CONFLICT DO NOTHING",
            db::org_rows(rows.len(), 6)
        );
        let mut query = tx.query_dynamic(sql);
        for EntryPlan { subject, sequence, plan } in rows {
            let bundle = |told: &Option<crate::domain::plan::Told>| told.as_ref().map(|told| told.bundle_id);
            query = query
                .bind(subject)
                .bind(*sequence)
                .bind(Json(plan.clone()))
                .bind(bundle(&plan.email.told))
                .bind(bundle(&plan.push.told))
                .bind(now);
        }
        query.execute(tx).await?;
    }
    Ok(())
}

/// Locks the queues of these deliveries until the commit, and tells which of them nobody has begun to carry. The queue comes before its
/// deliveries, as for who claims them.
///
/// # Errors
/// [`DbError`] of a statement.
pub async fn hold_open(tx: &mut Tx, deliveries: &[DeliveryId]) -> Result<HashSet<DeliveryId>, DbError> {
    let mut queues = BTreeSet::new();
    for ids in deliveries.chunks(db::ROWS) {
        let sql = format!(
            "SELECT DISTINCT channel, destination FROM deliveries
             WHERE org_id = $1 AND state = 'waiting' AND attempt = 0 AND delivery_id IN {}",
            db::rows(2, 1, ids.len())
        );
        let found: Vec<Queue> = tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_all(tx).await?;
        queues.extend(found);
    }
    destinations::lock_all(tx, &queues).await?;
    let mut open = HashSet::new();
    for ids in deliveries.chunks(db::ROWS) {
        let sql = format!(
            "SELECT delivery_id FROM deliveries
             WHERE org_id = $1 AND state = 'waiting' AND attempt = 0 AND delivery_id IN {}",
            db::rows(2, 1, ids.len())
        );
        let found: Vec<DeliveryId> =
            tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_values(tx).await?;
        open.extend(found);
    }
    Ok(open)
}

/// The plan for an entry, and when it was made.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn find(
    tx: &mut Tx,
    subject: &Subject,
    place: Sequence,
) -> Result<Option<(Plan, Timestamp)>, DbError> {
    let row: Option<(Json<Plan>, Timestamp)> = tx
        .query("SELECT plan, plan_time FROM plans WHERE org_id = $1 AND subject = $2 AND sequence = $3")
        .bind(subject)
        .bind(place)
        .fetch_optional(tx)
        .await?;
    Ok(row.map(|(plan, time)| (plan.0, time)))
}

/// Up to which entry of a person's feed everything is planned.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn planned_through(tx: &mut Tx, subject: &Subject) -> Result<Sequence, DbError> {
    let through = tx
        .query("SELECT planned_through FROM feed_heads WHERE org_id = $1 AND subject = $2")
        .bind(subject)
        .fetch_optional_value(tx)
        .await?;
    Ok(through.unwrap_or(Sequence::START))
}

/// How many entries an email, or a push, tells.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn count_in(tx: &mut Tx, bundle: BundleId) -> Result<i64, DbError> {
    tx.query(
        "SELECT (SELECT COUNT(*) FROM plans WHERE org_id = $1 AND email_bundle = $2)
             + (SELECT COUNT(*) FROM plans WHERE org_id = $1 AND push_bundle = $2)",
    )
    .bind(bundle)
    .fetch_value(tx)
    .await
}

/// Removes the plans for entries that went.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove(tx: &mut Tx, subject: &Subject, places: &[Sequence]) -> Result<(), DbError> {
    for places in places.chunks(500) {
        let sql = format!(
            "DELETE FROM plans WHERE org_id = $1 AND subject = $2 AND sequence IN {}",
            db::rows(3, 1, places.len())
        );
        tx.query_dynamic(sql).bind(subject).bind_all(places.iter().copied()).execute(tx).await?;
    }
    Ok(())
}

/// Takes every feed as planned, whatever is behind: nobody could be told anything but by their feed (system scope). At most `limit` feeds;
/// tells how many.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn skip_all(tx: &mut Tx, limit: i64) -> Result<u64, DbError> {
    let lock = match tx.engine() {
        Engine::Postgres => " FOR UPDATE SKIP LOCKED",
        Engine::Sqlite => "",
    };
    let sql = format!(
        "UPDATE feed_heads SET planned_through = sequence WHERE (org_id, subject) IN (
             SELECT org_id, subject FROM feed_heads WHERE planned_through < sequence
             ORDER BY org_id, subject LIMIT $1{lock})"
    );
    tx.query_dynamic(sql).bind(limit).execute(tx).await
}

/// Whether anybody of any organization has a device (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn any_device(tx: &mut Tx) -> Result<bool, DbError> {
    let found: Option<i64> =
        tx.query("SELECT CAST(1 AS BIGINT) FROM devices LIMIT 1").fetch_optional_value(tx).await?;
    Ok(found.is_some())
}
