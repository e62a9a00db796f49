//! Who was told of which note because it mentioned them.

use std::collections::HashSet;

use db::{DbError, Tx};
use kernel::{NoteId, Subject, Timestamp};

/// Rows per statement; SQLite allows 32,766 values in one.
pub(super) const ROWS: usize = 1_000;

/// Remembers that these people, none of whom was told before, are told of the note now. One statement for a thousand.
///
/// # Errors
/// [`DbError`] of the insert.
pub async fn insert_people(
    tx: &mut Tx,
    note_id: NoteId,
    people: &[Subject],
    now: Timestamp,
) -> Result<(), DbError> {
    for people in people.chunks(ROWS) {
        let rows = db::org_rows(people.len(), 3);
        let sql =
            format!("INSERT INTO mentioned_people (org_id, note_id, subject, mention_time) VALUES {rows}");
        let query = tx.query_dynamic(sql);
        let query = people.iter().fold(query, |query, person| query.bind(note_id).bind(person).bind(now));
        query.execute(tx).await?;
    }
    Ok(())
}

/// Everybody who was told of the note because it mentions them.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_people(tx: &mut Tx, note_id: NoteId) -> Result<HashSet<Subject>, DbError> {
    let people: Vec<Subject> = tx
        .query("SELECT subject FROM mentioned_people WHERE org_id = $1 AND note_id = $2")
        .bind(note_id)
        .fetch_values(tx)
        .await?;
    Ok(people.into_iter().collect())
}

/// Like [`list_people`], of several notes.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_people_of(tx: &mut Tx, ids: &[NoteId]) -> Result<Vec<(NoteId, Subject)>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT note_id, subject FROM mentioned_people WHERE org_id = $1 AND note_id IN {}",
        db::rows(2, 1, ids.len())
    );
    tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_all(tx).await
}

/// Forgets whom a note mentioned.
///
/// # Errors
/// [`DbError`] of the delete.
pub async fn delete_people(tx: &mut Tx, note_id: NoteId) -> Result<(), DbError> {
    tx.query("DELETE FROM mentioned_people WHERE org_id = $1 AND note_id = $2")
        .bind(note_id)
        .execute(tx)
        .await
        .map(drop)
}
