//! The texts of a note: those which edits replaced, whose rows are only ever added, and the present one.

use db::{DbError, Tx};
use kernel::{NoteId, Subject, Timestamp};

use super::notes::author;
use crate::domain::{Body, Revision};

#[derive(db::FromRow)]
struct RevisionRow {
    revision: i64,
    actor_subject: Subject,
    actor_role: String,
    actor_name: String,
    body: String,
    write_time: Timestamp,
}

impl TryFrom<RevisionRow> for Revision {
    type Error = DbError;

    fn try_from(row: RevisionRow) -> Result<Self, DbError> {
        Ok(Self {
            revision: row.revision,
            actor: author(row.actor_subject, &row.actor_role, row.actor_name)?,
            body: Body::stored(row.body),
            write_time: row.write_time,
        })
    }
}

/// Keeps the present text of a note as a revision. The caller holds the note's lock and is about to replace the text.
///
/// # Errors
/// [`DbError`] of the insert.
pub async fn keep_revision(tx: &mut Tx, note_id: NoteId) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO note_revisions \
         (org_id, note_id, revision, actor_subject, actor_role, actor_name, body, write_time) \
         SELECT org_id, note_id, revision, editor_subject, editor_role, editor_name, body, update_time \
         FROM notes WHERE org_id = $1 AND note_id = $2",
    )
    .bind(note_id)
    .execute(tx)
    .await
    .map(drop)
}

/// The texts of a note behind a revision, at most `limit`: the first one first, the present one last.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_revisions(
    tx: &mut Tx,
    note_id: NoteId,
    after: i64,
    limit: i64,
) -> Result<Vec<Revision>, DbError> {
    let rows: Vec<RevisionRow> = tx
        .query(
            "SELECT revision, actor_subject, actor_role, actor_name, body, write_time FROM note_revisions \
             WHERE org_id = $1 AND note_id = $2 AND revision > $3 \
             UNION ALL \
             SELECT revision, editor_subject, editor_role, editor_name, body, update_time FROM notes \
             WHERE org_id = $1 AND note_id = $2 AND revision > $3 \
             ORDER BY revision LIMIT $4",
        )
        .bind(note_id)
        .bind(after)
        .bind(limit)
        .fetch_all(tx)
        .await?;
    rows.into_iter().map(Revision::try_from).collect()
}

/// Forgets the earlier texts of a note.
///
/// # Errors
/// [`DbError`] of the delete.
pub async fn delete_revisions(tx: &mut Tx, note_id: NoteId) -> Result<(), DbError> {
    tx.query("DELETE FROM note_revisions WHERE org_id = $1 AND note_id = $2")
        .bind(note_id)
        .execute(tx)
        .await
        .map(drop)
}
