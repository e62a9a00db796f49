//! The texts that edits replaced: rows are only ever added.

use db::{DbError, Tx};
use kernel::{NoteId, Subject, Timestamp};

/// An earlier text of a note, exactly as it was.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Revision {
    /// 1 for the first text, one more with each edit.
    pub revision: i64,
    /// Who wrote this text.
    pub actor_subject: Subject,
    /// The text.
    pub body: String,
    /// When it was written.
    pub write_time: Timestamp,
}

impl std::fmt::Debug for Revision {
    /// Without the text, which is private.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Revision").field("revision", &self.revision).finish_non_exhaustive()
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

/// The earlier texts of a note, oldest first.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_revisions(tx: &mut Tx, note_id: NoteId) -> Result<Vec<Revision>, DbError> {
    tx.query(
        "SELECT revision, actor_subject, body, write_time FROM note_revisions \
         WHERE org_id = $1 AND note_id = $2 ORDER BY revision",
    )
    .bind(note_id)
    .fetch_all(tx)
    .await
}
