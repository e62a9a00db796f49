//! The tables `contact_merges` and `merged_activities`.

use db::{DbError, Json, Tx, rows};
use kernel::{ContactId, MergeId, Timestamp};

use crate::domain::{ActivityId, Actor, Deed, Merge, Snapshot};

/// Rows per statement: SQLite's time for one grows with the square of its values.
const ROWS: usize = 500;

/// Contacts that one went through, one into the other, at most. Nothing makes a circle: both contacts of a merge are there.
const LONGEST: i64 = 1_000;

/// The columns of a [`MergeRow`].
macro_rules! columns {
    () => {
        "merge_id, from_contact_id, into_contact_id, actor, merge_time, unmerge_actor, unmerge_time"
    };
}

#[derive(db::FromRow)]
struct MergeRow {
    merge_id: MergeId,
    from_contact_id: ContactId,
    into_contact_id: ContactId,
    actor: Json<Actor>,
    merge_time: Timestamp,
    unmerge_actor: Option<Json<Actor>>,
    unmerge_time: Option<Timestamp>,
}

impl From<MergeRow> for Merge {
    fn from(row: MergeRow) -> Self {
        let deed = |Json(actor), time| Deed { actor, time };
        Self {
            merge_id: row.merge_id,
            from: row.from_contact_id,
            into: row.into_contact_id,
            done: deed(row.actor, row.merge_time),
            undone: row.unmerge_actor.zip(row.unmerge_time).map(|(actor, time)| deed(actor, time)),
        }
    }
}

fn merges(rows: Vec<MergeRow>) -> Vec<Merge> {
    rows.into_iter().map(Merge::from).collect()
}

/// Stores a merge. `into_version` is the version that the contact which stayed has with it; that of the one which went is the snapshot's.
///
/// # Errors
/// As for every statement.
pub async fn insert(
    tx: &mut Tx,
    merge: &Merge,
    snapshot: &Snapshot,
    into_version: i64,
) -> Result<(), DbError> {
    const SQL: &str =
        "INSERT INTO contact_merges (org_id, merge_id, from_contact_id, into_contact_id, into_version,
            snapshot, actor, merge_time, from_version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let query = tx.query(SQL).bind(merge.merge_id).bind(merge.from).bind(merge.into).bind(into_version);
    let query = query.bind(Json(snapshot)).bind(Json(&merge.done.actor)).bind(merge.done.time);
    query.bind(snapshot.from.contact.version).execute(tx).await?;
    Ok(())
}

/// Says that a merge is taken back. `version` is the version that the contact which stayed has with it. For the holder of its lock.
///
/// # Errors
/// As for every statement.
pub async fn undo(tx: &mut Tx, id: MergeId, deed: &Deed, version: i64) -> Result<(), DbError> {
    const SQL: &str = "UPDATE contact_merges SET unmerge_actor = $3, unmerge_time = $4, undone_version = $5
        WHERE org_id = $1 AND merge_id = $2";
    tx.query(SQL).bind(id).bind(Json(&deed.actor)).bind(deed.time).bind(version).execute(tx).await?;
    Ok(())
}

/// The merge of this id.
///
/// # Errors
/// As for every statement.
pub async fn find(tx: &mut Tx, id: MergeId) -> Result<Option<Merge>, DbError> {
    const SQL: &str =
        concat!("SELECT ", columns!(), " FROM contact_merges WHERE org_id = $1 AND merge_id = $2");
    Ok(tx.query(SQL).bind(id).fetch_optional::<MergeRow>(tx).await?.map(Merge::from))
}

/// Both contacts of a merge as they were before, and what became of them.
///
/// # Errors
/// [`DbError::NoRow`] when there is no such merge.
pub async fn get_snapshot(tx: &mut Tx, id: MergeId) -> Result<Snapshot, DbError> {
    const SQL: &str = "SELECT snapshot FROM contact_merges WHERE org_id = $1 AND merge_id = $2";
    let Json(snapshot) = tx.query(SQL).bind(id).fetch_value::<Json<Snapshot>>(tx).await?;
    Ok(snapshot)
}

/// The last merge into the contact that was not taken back.
///
/// # Errors
/// As for every statement.
pub async fn find_latest_into(tx: &mut Tx, contact: ContactId) -> Result<Option<MergeId>, DbError> {
    const SQL: &str = "SELECT merge_id FROM contact_merges
        WHERE org_id = $1 AND into_contact_id = $2 AND unmerge_time IS NULL ORDER BY into_version DESC LIMIT 1";
    tx.query(SQL).bind(contact).fetch_optional_value(tx).await
}

/// The merge through which the contact went, if it was not taken back.
///
/// # Errors
/// As for every statement.
pub async fn find_standing_from(tx: &mut Tx, contact: ContactId) -> Result<Option<MergeId>, DbError> {
    const SQL: &str = "SELECT merge_id FROM contact_merges
        WHERE org_id = $1 AND from_contact_id = $2 AND unmerge_time IS NULL";
    tx.query(SQL).bind(contact).fetch_optional_value(tx).await
}

/// Who stands for each of these contacts that went, at the end of all merges; nothing for the others.
///
/// # Errors
/// As for every statement.
pub async fn list_survivors(
    tx: &mut Tx,
    contacts: &[ContactId],
) -> Result<Vec<(ContactId, ContactId)>, DbError> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "WITH RECURSIVE chain (start_id, contact_id, place) AS (
             SELECT from_contact_id, into_contact_id, 1 FROM contact_merges
             WHERE org_id = $1 AND unmerge_time IS NULL AND from_contact_id IN (VALUES {})
             UNION ALL
             SELECT c.start_id, m.into_contact_id, c.place + 1 FROM chain c JOIN contact_merges m
                 ON m.org_id = $1 AND m.from_contact_id = c.contact_id AND m.unmerge_time IS NULL
             WHERE c.place < $2)
         SELECT start_id, contact_id FROM chain c
         WHERE place = (SELECT MAX(place) FROM chain d WHERE d.start_id = c.start_id)",
        rows(3, contacts.len(), 1)
    );
    tx.query_dynamic(sql).bind(LONGEST).bind_all(contacts.iter().copied()).fetch_all(tx).await
}

/// Merges made before `before`, newest first, at most `limit`.
///
/// # Errors
/// As for every statement.
pub async fn list(tx: &mut Tx, before: MergeId, limit: i64) -> Result<Vec<Merge>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM contact_merges WHERE org_id = $1 AND merge_id < $2 ORDER BY merge_id DESC LIMIT $3"
    );
    Ok(merges(tx.query(SQL).bind(before).bind(limit).fetch_all(tx).await?))
}

/// Like [`list`], of the merges in which the contact went or stayed.
///
/// # Errors
/// As for every statement.
pub async fn list_of(
    tx: &mut Tx,
    contact: ContactId,
    before: MergeId,
    limit: i64,
) -> Result<Vec<Merge>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM contact_merges WHERE org_id = $1 AND merge_id IN (
            SELECT merge_id FROM (SELECT merge_id FROM contact_merges
                WHERE org_id = $1 AND from_contact_id = $2 AND merge_id < $3 ORDER BY merge_id DESC LIMIT $4) AS went
            UNION ALL
            SELECT merge_id FROM (SELECT merge_id FROM contact_merges
                WHERE org_id = $1 AND into_contact_id = $2 AND merge_id < $3 ORDER BY merge_id DESC LIMIT $4) AS stayed)
          ORDER BY merge_id DESC LIMIT $4"
    );
    Ok(merges(tx.query(SQL).bind(contact).bind(before).bind(limit).fetch_all(tx).await?))
}

/// Remembers what happened around the contact that goes, so that it can return.
///
/// # Errors
/// As for every statement.
pub async fn remember_activities(tx: &mut Tx, merge: MergeId, from: ContactId) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO merged_activities (org_id, merge_id, activity_id)
        SELECT org_id, $2, activity_id FROM contact_activities WHERE org_id = $1 AND contact_id = $3";
    tx.query(SQL).bind(merge).bind(from).execute(tx).await.map(drop)
}

/// Lets what happened around one contact be what happened around another.
///
/// # Errors
/// As for every statement.
pub async fn move_activities(tx: &mut Tx, from: ContactId, into: ContactId) -> Result<(), DbError> {
    const SQL: &str = "UPDATE contact_activities SET contact_id = $3 WHERE org_id = $1 AND contact_id = $2";
    tx.query(SQL).bind(from).bind(into).execute(tx).await.map(drop)
}

/// Gives back what happened around the contact that had gone.
///
/// # Errors
/// As for every statement.
pub async fn return_activities(tx: &mut Tx, merge: &Merge) -> Result<(), DbError> {
    const SQL: &str = "UPDATE contact_activities SET contact_id = $3 WHERE org_id = $1 AND contact_id = $4
        AND activity_id IN (SELECT activity_id FROM merged_activities WHERE org_id = $1 AND merge_id = $2)";
    tx.query(SQL).bind(merge.merge_id).bind(merge.from).bind(merge.into).execute(tx).await.map(drop)
}

/// Forgets what returned.
///
/// # Errors
/// As for every statement.
pub async fn forget_activities(tx: &mut Tx, merge: MergeId) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM merged_activities WHERE org_id = $1 AND merge_id = $2";
    tx.query(SQL).bind(merge).execute(tx).await.map(drop)
}

/// Remembers late activities as what happened around a contact that went: they return with each of the merges through which it went.
///
/// # Errors
/// As for every statement.
pub async fn remember_late(
    tx: &mut Tx,
    contact: ContactId,
    activities: &[ActivityId],
) -> Result<(), DbError> {
    for some in activities.chunks(ROWS) {
        let sql = format!(
            "WITH RECURSIVE chain (merge_id, contact_id, place) AS (
                 SELECT merge_id, into_contact_id, 1 FROM contact_merges
                 WHERE org_id = $1 AND unmerge_time IS NULL AND from_contact_id = $2
                 UNION ALL
                 SELECT m.merge_id, m.into_contact_id, c.place + 1 FROM chain c JOIN contact_merges m
                     ON m.org_id = $1 AND m.from_contact_id = c.contact_id AND m.unmerge_time IS NULL
                 WHERE c.place < $3)
             INSERT INTO merged_activities (org_id, merge_id, activity_id)
             SELECT $1, c.merge_id, v.column1 FROM chain c, (VALUES {}) AS v WHERE true ON CONFLICT DO NOTHING",
            rows(4, some.len(), 1)
        );
        let query = tx.query_dynamic(sql).bind(contact).bind(LONGEST);
        query.bind_all(some.iter().copied()).execute(tx).await?;
    }
    Ok(())
}
