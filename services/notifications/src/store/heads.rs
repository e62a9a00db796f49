//! The end of each feed.

use std::collections::{BTreeMap, HashMap};

use db::{DbError, Tx};
use kernel::{OrgId, Subject, Timestamp};

use crate::domain::{Head, Sequence};

/// Lets feeds grow by so many entries, which are unread, and tells where they end now. The heads stay locked until the
/// commit, so a feed's entries become visible in the order of their sequence, and none is missing.
///
/// The map's order is the order of locking.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn grow(
    tx: &mut Tx,
    growth: &BTreeMap<&Subject, i64>,
    now: Timestamp,
) -> Result<HashMap<Subject, Sequence>, DbError> {
    let growth: Vec<(&Subject, i64)> = growth.iter().map(|(subject, by)| (*subject, *by)).collect();
    let mut ends = HashMap::with_capacity(growth.len());
    for rows in growth.chunks(db::ROWS) {
        let sql = format!(
            "INSERT INTO feed_heads (org_id, subject, sequence, unread, move_time, behind_since) VALUES {}
             ON CONFLICT (org_id, subject) DO UPDATE SET
                 sequence = feed_heads.sequence + excluded.sequence,
                 unread = feed_heads.unread + excluded.unread,
                 move_time = excluded.move_time,
                 behind_since = CASE WHEN feed_heads.planned_through < feed_heads.sequence
                     THEN feed_heads.behind_since ELSE excluded.behind_since END
             RETURNING subject, sequence",
            db::org_rows(rows.len(), 5)
        );
        let query = rows.iter().fold(tx.query_dynamic(sql), |query, (subject, by)| {
            query.bind(*subject).bind(*by).bind(*by).bind(now).bind(now)
        });
        ends.extend(query.fetch_all::<(Subject, Sequence)>(tx).await?);
    }
    Ok(ends)
}

/// A person's head; [`Head::EMPTY`] if they were never told anything.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn get(tx: &mut Tx, subject: &Subject) -> Result<Head, DbError> {
    let head = tx
        .query(
            "SELECT sequence, forgotten_through, handlings FROM feed_heads WHERE org_id = $1 AND subject = $2",
        )
        .bind(subject)
        .fetch_optional(tx)
        .await?;
    Ok(head.unwrap_or(Head::EMPTY))
}

/// Like [`get`], and nobody else changes the feed until the commit.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn lock(tx: &mut Tx, subject: &Subject) -> Result<Head, DbError> {
    // An update that changes nothing locks on both databases; SELECT FOR UPDATE is PostgreSQL's only.
    let head = tx
        .query(
            "UPDATE feed_heads SET unread = unread WHERE org_id = $1 AND subject = $2
             RETURNING sequence, forgotten_through, handlings",
        )
        .bind(subject)
        .fetch_optional(tx)
        .await?;
    Ok(head.unwrap_or(Head::EMPTY))
}

/// How much of a feed is unread, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, db::FromRow)]
pub struct Count {
    /// Neither read, archived nor snoozed for now.
    pub unread: i64,
    /// Of the newest entry.
    pub sequence: Sequence,
}

/// Counts a person's unread entries: the head's counter less those snoozed beyond `now`, which are few.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn count(tx: &mut Tx, subject: &Subject, now: Timestamp) -> Result<Count, DbError> {
    let count = tx
        .query(
            "SELECT sequence, unread - (
                 SELECT COUNT(*) FROM feed_entries
                 WHERE org_id = $1 AND subject = $2 AND snooze_until_time > $3) AS unread
             FROM feed_heads WHERE org_id = $1 AND subject = $2",
        )
        .bind(subject)
        .bind(now)
        .fetch_optional(tx)
        .await?;
    Ok(count.unwrap_or(Count { unread: 0, sequence: Sequence::START }))
}

/// Changes a feed's counter of unread entries by `change`, as its person did something with some: one handling more.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn change_unread(
    tx: &mut Tx,
    subject: &Subject,
    change: i64,
    now: Timestamp,
) -> Result<u64, DbError> {
    tx.query(
        "UPDATE feed_heads SET unread = unread + $3, handlings = handlings + 1, move_time = $4
         WHERE org_id = $1 AND subject = $2",
    )
    .bind(subject)
    .bind(change)
    .bind(now)
    .execute(tx)
    .await
}

/// Counts a feed's unread entries afresh, after changes to many of them at once: one handling more.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn recount_unread(tx: &mut Tx, subject: &Subject, now: Timestamp) -> Result<u64, DbError> {
    tx.query(
        "UPDATE feed_heads SET handlings = handlings + 1, move_time = $3, unread = (
             SELECT COUNT(*) FROM feed_entries
             WHERE org_id = $1 AND subject = $2 AND read_time IS NULL AND archive_time IS NULL)
         WHERE org_id = $1 AND subject = $2",
    )
    .bind(subject)
    .bind(now)
    .execute(tx)
    .await
}

/// Notes that retention took entries up to `sequence`.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn forget_through(tx: &mut Tx, subject: &Subject, sequence: Sequence) -> Result<u64, DbError> {
    tx.query(
        "UPDATE feed_heads SET forgotten_through = $3
         WHERE org_id = $1 AND subject = $2 AND forgotten_through < $3",
    )
    .bind(subject)
    .bind(sequence)
    .execute(tx)
    .await
}

/// Where a feed is, whether it grew or its person did something with entries.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct Moved {
    /// Whose organization.
    pub org_id: OrgId,
    /// Whose feed.
    pub subject: Subject,
    /// Of its newest entry.
    pub sequence: Sequence,
    /// How often the person did something with entries.
    pub handlings: i64,
}

impl Moved {
    /// The number that a reader has who has seen all of it: see [`crate::domain::Cursor::progress`].
    pub fn progress(&self) -> i64 {
        self.sequence.number() + self.handlings
    }
}

/// Every organization's feeds that moved since a moment, for the poller (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn moved_since(tx: &mut Tx, since: Timestamp) -> Result<Vec<Moved>, DbError> {
    tx.query("SELECT org_id, subject, sequence, handlings FROM feed_heads WHERE move_time >= $1")
        .bind(since)
        .fetch_all(tx)
        .await
}

/// Where these people's feeds are, for the poller (system scope). Those that have none are left out.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn list_of(tx: &mut Tx, owners: &[(OrgId, Subject)]) -> Result<Vec<Moved>, DbError> {
    let mut heads = Vec::with_capacity(owners.len());
    for owners in owners.chunks(db::ROWS) {
        let sql = format!(
            "SELECT org_id, subject, sequence, handlings FROM feed_heads WHERE (org_id, subject) IN (VALUES {})",
            db::rows(1, owners.len(), 2)
        );
        let query =
            owners.iter().fold(tx.query_dynamic(sql), |query, (org, subject)| query.bind(org).bind(subject));
        heads.extend(query.fetch_all::<Moved>(tx).await?);
    }
    Ok(heads)
}
