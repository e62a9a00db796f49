//! Changes of notes: which there were, in which order. Triggers write them, in the transaction of the change.

use std::collections::HashMap;

use db::{DbError, Tx};
use kernel::{NoteId, OrgId, Timestamp};
use uuid::Uuid;

use super::notes::{NoteRow, all, select_notes};
use crate::domain::Note;
use crate::domain::watch::{Change, ChangeType, Target, Watched};

/// Targets per statement, far below the most values that SQLite takes in one.
const ROWS: usize = 500;

/// The sequence of the newest change; 0 if there never was one, or all was erased.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn end(tx: &mut Tx, target: Target) -> Result<i64, DbError> {
    let end = tx
        .query("SELECT sequence FROM note_heads WHERE org_id = $1 AND kind = $2 AND target_id = $3")
        .bind(target.kind())
        .bind(target.id())
        .fetch_optional_value(tx)
        .await?;
    Ok(end.unwrap_or(0))
}

#[derive(db::FromRow)]
struct ChangeRow {
    sequence: i64,
    note_id: NoteId,
    r#type: String,
    change_time: Timestamp,
}

impl TryFrom<ChangeRow> for Change {
    type Error = DbError;

    fn try_from(row: ChangeRow) -> Result<Self, DbError> {
        let kind = match row.r#type.as_str() {
            "created" => ChangeType::Created,
            "updated" => ChangeType::Updated,
            "deleted" => ChangeType::Deleted,
            _ => return Err(DbError::Corrupt("column type holds no change".to_owned())),
        };
        Ok(Self { sequence: row.sequence, note_id: row.note_id, kind, time: row.change_time })
    }
}

/// At most `limit` changes behind a place, oldest first.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_after(tx: &mut Tx, target: Target, after: i64, limit: i64) -> Result<Vec<Change>, DbError> {
    let rows: Vec<ChangeRow> = tx
        .query(
            "SELECT sequence, note_id, type, change_time FROM note_changes \
             WHERE org_id = $1 AND kind = $2 AND target_id = $3 AND sequence > $4 ORDER BY sequence LIMIT $5",
        )
        .bind(target.kind())
        .bind(target.id())
        .bind(after)
        .bind(limit)
        .fetch_all(tx)
        .await?;
    rows.into_iter().map(Change::try_from).collect()
}

/// These notes as they are, in whichever order; those that are gone are left out.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn load_notes(tx: &mut Tx, ids: &[NoteId]) -> Result<Vec<Note>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(select_notes!("WHERE org_id = $1 AND note_id IN {}"), db::rows(2, 1, ids.len()));
    let rows: Vec<NoteRow> = tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_all(tx).await?;
    all(rows)
}

#[derive(db::FromRow)]
struct HeadRow {
    org_id: OrgId,
    kind: String,
    target_id: Uuid,
    sequence: i64,
}

/// Where the changes of these end, for the poller (system scope). Those that have none are left out.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn ends(tx: &mut Tx, watched: &[Watched]) -> Result<HashMap<Watched, i64>, DbError> {
    let mut ends = HashMap::with_capacity(watched.len());
    for watched in watched.chunks(ROWS) {
        let sql = format!(
            "SELECT org_id, kind, target_id, sequence FROM note_heads \
             WHERE (org_id, kind, target_id) IN (VALUES {})",
            db::rows(1, watched.len(), 3)
        );
        let query = watched.iter().fold(tx.query_dynamic(sql), |query, Watched { org, target }| {
            query.bind(org).bind(target.kind()).bind(target.id())
        });
        let rows: Vec<HeadRow> = query.fetch_all(tx).await?;
        ends.extend(rows.into_iter().filter_map(|row| {
            let target = Target::of_columns(&row.kind, row.target_id)?;
            Some((Watched { org: row.org_id, target }, row.sequence))
        }));
    }
    Ok(ends)
}
