//! The notes as they are now.

use db::{DbError, Engine, Json, Tx};
use kernel::{ConversationId, NoteId, Role, Subject, Timestamp};

use crate::domain::{Author, Body, Mention, Note};

macro_rules! select_notes {
    ($rest:literal) => {
        concat!(
            "SELECT note_id, conversation_id, author_subject, author_role, author_name, body, mentions, revision, \
             version, create_time, update_time FROM notes ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct NoteRow {
    note_id: NoteId,
    conversation_id: ConversationId,
    author_subject: Subject,
    author_role: String,
    author_name: String,
    body: String,
    mentions: Json<Vec<Mention>>,
    revision: i64,
    version: i64,
    create_time: Timestamp,
    update_time: Timestamp,
}

impl TryFrom<NoteRow> for Note {
    type Error = DbError;

    fn try_from(row: NoteRow) -> Result<Self, DbError> {
        let role = Role::parse(&row.author_role)
            .map_err(|_| DbError::Corrupt("column author_role holds no role".to_owned()))?;
        Ok(Note {
            note_id: row.note_id,
            conversation_id: row.conversation_id,
            author: Author { subject: row.author_subject, role, display_name: row.author_name },
            body: Body::stored(row.body),
            mentions: row.mentions.0,
            revision: row.revision,
            version: row.version,
            create_time: row.create_time,
            update_time: row.update_time,
        })
    }
}

/// Where a page of a conversation's notes begins: behind the note with this time and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct After(pub Timestamp, pub NoteId);

impl After {
    /// Before the oldest note.
    pub const START: Self = Self(Timestamp::from_micros(i64::MIN), NoteId::from_uuid(uuid::Uuid::nil()));

    /// Behind this note.
    pub fn note(note: &Note) -> Self {
        Self(note.create_time, note.note_id)
    }
}

/// Adds a new note, whose author is also the writer of its present text.
///
/// # Errors
/// [`DbError`] of the insert.
pub async fn insert_note(tx: &mut Tx, note: &Note) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO notes (org_id, note_id, conversation_id, author_subject, author_role, author_name, \
         editor_subject, editor_role, editor_name, body, mentions, revision, version, create_time, update_time) \
         VALUES ($1, $2, $3, $4, $5, $6, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(note.note_id)
    .bind(note.conversation_id)
    .bind(&note.author.subject)
    .bind(note.author.role.as_str())
    .bind(note.author.display_name.as_str())
    .bind(note.body.as_str())
    .bind(Json(&note.mentions))
    .bind(note.revision)
    .bind(note.version)
    .bind(note.create_time)
    .bind(note.update_time)
    .execute(tx)
    .await
    .map(drop)
}

/// The note, if the organization has it.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn find_note(tx: &mut Tx, note_id: NoteId) -> Result<Option<Note>, DbError> {
    let row: Option<NoteRow> = tx
        .query(select_notes!("WHERE org_id = $1 AND note_id = $2"))
        .bind(note_id)
        .fetch_optional(tx)
        .await?;
    row.map(Note::try_from).transpose()
}

/// Like [`find_note`], and nobody else changes the note before this transaction ends.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn lock_note(tx: &mut Tx, note_id: NoteId) -> Result<Option<Note>, DbError> {
    let sql = match tx.engine() {
        // The only writer there is holds the whole database already.
        Engine::Sqlite => select_notes!("WHERE org_id = $1 AND note_id = $2"),
        Engine::Postgres => select_notes!("WHERE org_id = $1 AND note_id = $2 FOR UPDATE"),
    };
    let row: Option<NoteRow> = tx.query(sql).bind(note_id).fetch_optional(tx).await?;
    row.map(Note::try_from).transpose()
}

/// Notes of a conversation, oldest first, at most `limit` behind `after`.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_notes(
    tx: &mut Tx,
    conversation_id: ConversationId,
    after: After,
    limit: i64,
) -> Result<Vec<Note>, DbError> {
    let rows: Vec<NoteRow> = tx
        .query(select_notes!(
            "WHERE org_id = $1 AND conversation_id = $2 AND (create_time, note_id) > ($3, $4) \
             ORDER BY create_time, note_id LIMIT $5"
        ))
        .bind(conversation_id)
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(tx)
        .await?;
    rows.into_iter().map(Note::try_from).collect()
}

/// Writes an edited note's text, mentions, revision, version and time, and who edited it. The caller holds the lock and
/// has kept the earlier text.
///
/// # Errors
/// [`DbError`] of the update, [`DbError::NoRow`] if there is no such note.
pub async fn update_note(tx: &mut Tx, note: &Note, editor: &Author) -> Result<(), DbError> {
    let changed = tx
        .query(
            "UPDATE notes SET body = $3, mentions = $4, revision = $5, version = $6, update_time = $7, \
             editor_subject = $8, editor_role = $9, editor_name = $10 WHERE org_id = $1 AND note_id = $2",
        )
        .bind(note.note_id)
        .bind(note.body.as_str())
        .bind(Json(&note.mentions))
        .bind(note.revision)
        .bind(note.version)
        .bind(note.update_time)
        .bind(&editor.subject)
        .bind(editor.role.as_str())
        .bind(editor.display_name.as_str())
        .execute(tx)
        .await?;
    if changed == 1 { Ok(()) } else { Err(DbError::NoRow) }
}
