//! The notes as they are now.

use db::{DbError, Engine, Json, Tx};
use kernel::{ContactId, ConversationId, NoteId, Role, Subject, Timestamp};

use uuid::Uuid;

use crate::domain::{Author, Body, Handoff, Mark, Mention, Note, Place, Reply};

macro_rules! select_notes {
    ($rest:literal) => {
        concat!(
            "SELECT note_id, conversation_id, contact_id, origin_conversation_id, reply_to, thread_id, \
             author_subject, author_role, author_name, body, mentions, revision, version, create_time, update_time, \
             pin_time, pinner_subject, pinner_role, pinner_name, \
             delete_time, deleter_subject, deleter_role, deleter_name, handoff FROM notes ",
            $rest
        )
    };
}
pub(super) use select_notes;

#[derive(db::FromRow)]
pub(super) struct NoteRow {
    note_id: NoteId,
    conversation_id: Option<ConversationId>,
    contact_id: ContactId,
    origin_conversation_id: Option<ConversationId>,
    reply_to: Option<NoteId>,
    thread_id: Option<NoteId>,
    author_subject: Subject,
    author_role: String,
    author_name: String,
    body: String,
    mentions: Json<Vec<Mention>>,
    revision: i64,
    version: i64,
    create_time: Timestamp,
    update_time: Timestamp,
    pin_time: Option<Timestamp>,
    pinner_subject: Option<Subject>,
    pinner_role: Option<String>,
    pinner_name: Option<String>,
    delete_time: Option<Timestamp>,
    deleter_subject: Option<Subject>,
    deleter_role: Option<String>,
    deleter_name: Option<String>,
    handoff: Option<Json<Handoff>>,
}

impl TryFrom<NoteRow> for Note {
    type Error = DbError;

    fn try_from(row: NoteRow) -> Result<Self, DbError> {
        let (contact_id, origin) = (row.contact_id, row.origin_conversation_id);
        let place = match row.conversation_id {
            Some(conversation_id) => Place::Conversation { conversation_id, contact_id },
            None => Place::Contact { contact_id, origin },
        };
        Ok(Self {
            note_id: row.note_id,
            place,
            reply: row.reply_to.zip(row.thread_id).map(|(to, thread)| Reply { to, thread }),
            author: author(row.author_subject, &row.author_role, row.author_name)?,
            body: Body::stored(row.body),
            mentions: row.mentions.0,
            revision: row.revision,
            version: row.version,
            create_time: row.create_time,
            update_time: row.update_time,
            pin: mark(row.pin_time, row.pinner_subject, row.pinner_role, row.pinner_name)?,
            deletion: mark(row.delete_time, row.deleter_subject, row.deleter_role, row.deleter_name)?,
            handoff: row.handoff.map(|handoff| handoff.0),
        })
    }
}

/// The person of three columns.
pub(super) fn author(subject: Subject, role: &str, display_name: String) -> Result<Author, DbError> {
    let role = Role::parse(role).map_err(|_| DbError::Corrupt("a column of roles holds none".to_owned()))?;
    Ok(Author { subject, role, display_name })
}

fn mark(
    time: Option<Timestamp>,
    subject: Option<Subject>,
    role: Option<String>,
    name: Option<String>,
) -> Result<Option<Mark>, DbError> {
    match (time, subject, role, name) {
        (Some(time), Some(subject), Some(role), Some(name)) => {
            Ok(Some(Mark { by: author(subject, &role, name)?, time }))
        }
        _ => Ok(None),
    }
}

/// Notes from their rows.
pub(super) fn all(rows: Vec<NoteRow>) -> Result<Vec<Note>, DbError> {
    rows.into_iter().map(Note::try_from).collect()
}

/// Adds a new note, whose author is also the writer of its present text.
///
/// # Errors
/// [`DbError`] of the insert.
pub async fn insert_note(tx: &mut Tx, note: &Note) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO notes (org_id, note_id, kind, conversation_id, contact_id, origin_conversation_id, reply_to, \
         thread_id, author_subject, author_role, author_name, editor_subject, editor_role, editor_name, body, \
         mentions, revision, version, create_time, update_time, handoff, awaits_subject) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
    )
    .bind(note.note_id)
    .bind(note.place.kind().as_str())
    .bind(note.place.conversation_id())
    .bind(note.place.contact_id())
    .bind(note.place.origin())
    .bind(note.reply.map(|reply| reply.to))
    .bind(note.reply.map(|reply| reply.thread))
    .bind(&note.author.subject)
    .bind(note.author.role.as_str())
    .bind(note.author.display_name.as_str())
    .bind(note.body.as_str())
    .bind(Json(&note.mentions))
    .bind(note.revision)
    .bind(note.version)
    .bind(note.create_time)
    .bind(note.update_time)
    .bind(note.handoff.as_ref().map(Json))
    .bind(note.awaits().cloned())
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

/// The first `characters` of those of these notes which are there and not deleted.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_beginnings(
    tx: &mut Tx,
    notes: &[NoteId],
    characters: i64,
) -> Result<Vec<(NoteId, String)>, DbError> {
    let sql = format!(
        "SELECT note_id, substr(body, 1, CAST($2 AS INTEGER)) FROM notes \
         WHERE org_id = $1 AND delete_time IS NULL AND note_id IN {}",
        db::rows(3, 1, notes.len())
    );
    tx.query_dynamic(sql).bind(characters).bind_all(notes.iter().copied()).fetch_all(tx).await
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

/// Notes about a contact, on them and on conversations with them, at most `limit`; nobody else changes them before this transaction ends.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn lock_about(tx: &mut Tx, contact: ContactId, limit: i64) -> Result<Vec<Uuid>, DbError> {
    let held = match tx.engine() {
        // The only writer there is holds the whole database already.
        Engine::Sqlite => "",
        Engine::Postgres => " FOR UPDATE",
    };
    let sql = format!(
        "SELECT note_id FROM notes WHERE org_id = $1 AND contact_id = $2 ORDER BY note_id LIMIT $3{held}"
    );
    tx.query_dynamic(sql).bind(contact).bind(limit).fetch_values(tx).await
}

/// Lets those of these notes that are about one contact be about another; tells which.
///
/// # Errors
/// [`DbError`] of the update.
pub async fn give_notes(
    tx: &mut Tx,
    ids: &[NoteId],
    from: ContactId,
    to: ContactId,
) -> Result<Vec<NoteId>, DbError> {
    let sql = format!(
        "UPDATE notes SET contact_id = $3, version = version + 1 \
         WHERE org_id = $1 AND contact_id = $2 AND note_id IN {} RETURNING note_id",
        db::rows(4, 1, ids.len())
    );
    tx.query_dynamic(sql).bind(from).bind(to).bind_all(ids.iter().copied()).fetch_values(tx).await
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
    one(changed)
}

/// Writes who pinned, deleted and acknowledged a note, if anybody, and its version. The caller holds the lock.
///
/// # Errors
/// [`DbError`] of the update, [`DbError::NoRow`] if there is no such note.
pub async fn update_marks(tx: &mut Tx, note: &Note) -> Result<(), DbError> {
    let (pin, deletion) = (note.pin.as_ref(), note.deletion.as_ref());
    let changed = tx
        .query(
            "UPDATE notes SET version = $3, pin_time = $4, pinner_subject = $5, pinner_role = $6, pinner_name = $7, \
             delete_time = $8, deleter_subject = $9, deleter_role = $10, deleter_name = $11, handoff = $12, \
             awaits_subject = $13 WHERE org_id = $1 AND note_id = $2",
        )
        .bind(note.note_id)
        .bind(note.version)
        .bind(pin.map(|mark| mark.time))
        .bind(pin.map(|mark| mark.by.subject.clone()))
        .bind(pin.map(|mark| mark.by.role.as_str()))
        .bind(pin.map(|mark| mark.by.display_name.clone()))
        .bind(deletion.map(|mark| mark.time))
        .bind(deletion.map(|mark| mark.by.subject.clone()))
        .bind(deletion.map(|mark| mark.by.role.as_str()))
        .bind(deletion.map(|mark| mark.by.display_name.clone()))
        .bind(note.handoff.as_ref().map(Json))
        .bind(note.awaits().cloned())
        .execute(tx)
        .await?;
    one(changed)
}

/// Removes a note for good. What names it in other tables is removed before.
///
/// # Errors
/// [`DbError`] of the delete, [`DbError::NoRow`] if there is no such note.
pub async fn delete_note(tx: &mut Tx, note_id: NoteId) -> Result<(), DbError> {
    let gone =
        tx.query("DELETE FROM notes WHERE org_id = $1 AND note_id = $2").bind(note_id).execute(tx).await?;
    one(gone)
}

fn one(changed: u64) -> Result<(), DbError> {
    if changed == 1 { Ok(()) } else { Err(DbError::NoRow) }
}
