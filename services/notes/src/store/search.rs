//! The index of the notes' words: FTS5 on SQLite, a GIN index of tsvectors on PostgreSQL. Both hold the tokens which
//! [`crate::domain::search`] makes, as sets; what follows what in a phrase is not theirs to know.
//!
//! Notes leave the index by triggers, whoever deletes them.

use std::collections::{HashMap, HashSet};

use db::{DbError, Engine, Tx};
use kernel::{ContactId, ConversationId, NoteId, Subject, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::notes::author;
use crate::domain::search::{Entry, Token};
use crate::domain::{Author, Body, NoteKind, Place};

/// Notes of one millisecond that SQLite's places keep apart, as a power of two. The milliseconds have 43 bits then: until 2248.
const PLACES: u32 = 20;

/// A place among an organization's notes as the index orders them. On SQLite the id is not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Before(i64, NoteId);

impl Before {
    /// Behind the newest note.
    pub const NEWEST: Self = Self(i64::MAX, NoteId::from_uuid(Uuid::max()));

    /// Before the notes of this time and later.
    fn time(engine: Engine, time: Timestamp) -> Self {
        let place = match engine {
            Engine::Sqlite => first_place(time).saturating_add(1 << PLACES),
            Engine::Postgres => time.as_micros(),
        };
        Self(place, NoteId::from_uuid(Uuid::nil()))
    }
}

/// Puts a note into the index, or its new text in the place of the old one.
///
/// # Errors
/// [`DbError`] of the statements.
pub async fn index(
    tx: &mut Tx,
    note_id: NoteId,
    create_time: Timestamp,
    entry: &Entry,
) -> Result<(), DbError> {
    let tokens = tx.org().map(|org| entry.text(org)).ok_or(DbError::WithoutOrg)?;
    match tx.engine() {
        Engine::Sqlite => {
            take_place(tx, note_id, create_time).await?;
            tx.query(
                "INSERT OR REPLACE INTO note_index (rowid, tokens) \
                 SELECT place, $3 FROM note_search WHERE org_id = $1 AND note_id = $2",
            )
            .bind(note_id)
            .bind(tokens)
        }
        Engine::Postgres => tx
            .query(
                "INSERT INTO note_search (org_id, note_id, create_time, tokens) \
                 VALUES ($1, $2, $3, array_to_tsvector(string_to_array($4, ' '))) \
                 ON CONFLICT (org_id, note_id) DO UPDATE SET tokens = excluded.tokens",
            )
            .bind(note_id)
            .bind(create_time)
            .bind(tokens),
    }
    .execute(tx)
    .await
    .map(drop)
}

/// Puts many notes into the index, or their new texts in the place of the old ones, as [`index`] does: a few statements for all.
///
/// # Errors
/// [`DbError`] of the statements.
pub async fn index_all(tx: &mut Tx, notes: &[(NoteId, Timestamp, Entry)]) -> Result<(), DbError> {
    if notes.is_empty() {
        return Ok(());
    }
    let org = tx.org().cloned().ok_or(DbError::WithoutOrg)?;
    let sql = match tx.engine() {
        Engine::Sqlite => {
            take_places(tx, notes).await?;
            // FTS5 writes out what it has gathered whenever a row comes that is older than the one before.
            format!(
                "INSERT OR REPLACE INTO note_index (rowid, tokens) \
                 SELECT s.place, n.column2 FROM (VALUES {}) AS n \
                 JOIN note_search s ON s.org_id = $1 AND s.note_id = n.column1 ORDER BY s.place",
                db::rows(2, notes.len(), 2)
            )
        }
        Engine::Postgres => format!(
            "INSERT INTO note_search (org_id, note_id, create_time, tokens) \
             SELECT $1, n.id, n.at, array_to_tsvector(string_to_array(n.tokens, ' ')) \
             FROM (VALUES {}) AS n (id, at, tokens) \
             ON CONFLICT (org_id, note_id) DO UPDATE SET tokens = excluded.tokens",
            db::rows(2, notes.len(), 3)
        ),
    };
    let engine = tx.engine();
    let query = notes.iter().fold(tx.query_dynamic(sql), |query, (note_id, create_time, entry)| {
        let query = query.bind(*note_id);
        let query = if engine == Engine::Postgres { query.bind(*create_time) } else { query };
        query.bind(entry.text(&org))
    });
    query.execute(tx).await.map(drop)
}

/// Gives those of the notes that have none their places in SQLite's index, the first free ones of their milliseconds.
async fn take_places(tx: &mut Tx, notes: &[(NoteId, Timestamp, Entry)]) -> Result<(), DbError> {
    let sql = format!(
        "SELECT note_id FROM note_search WHERE org_id = $1 AND note_id IN {}",
        db::rows(2, 1, notes.len())
    );
    let ids = notes.iter().map(|(note_id, ..)| *note_id);
    let placed: HashSet<NoteId> =
        tx.query_dynamic(sql).bind_all(ids).fetch_values(tx).await?.into_iter().collect();
    let new: Vec<(NoteId, i64)> = notes
        .iter()
        .filter(|(note_id, ..)| !placed.contains(note_id))
        .map(|(note_id, create_time, _)| (*note_id, first_place(*create_time)))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    // All organizations share the places: the condition on $1 holds always.
    let sql = format!(
        "SELECT m.column1, COALESCE((SELECT MAX(place) + 1 FROM note_search \
             WHERE place >= m.column1 AND place < m.column1 + {}), m.column1) \
         FROM (VALUES {}) AS m WHERE $1 IS NOT NULL",
        1_i64 << PLACES,
        db::rows(2, new.len(), 1)
    );
    let free: Vec<(i64, i64)> =
        tx.query_dynamic(sql).bind_all(new.iter().map(|(_, first)| *first)).fetch_all(tx).await?;
    let mut free: HashMap<i64, i64> = free.into_iter().collect();
    let sql =
        format!("INSERT INTO note_search (org_id, note_id, place) VALUES {}", db::org_rows(new.len(), 2));
    let query = new.into_iter().fold(tx.query_dynamic(sql), |query, (note_id, first)| {
        let next = free.entry(first).or_insert(first);
        let place = *next;
        *next += 1;
        query.bind(note_id).bind(place)
    });
    query.execute(tx).await.map(drop)
}

/// Gives a note its place in SQLite's index, the first free one of its millisecond. One that has a place keeps it.
async fn take_place(tx: &mut Tx, note_id: NoteId, create_time: Timestamp) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO note_search (place, org_id, note_id) \
         SELECT COALESCE((SELECT MAX(place) + 1 FROM note_search WHERE place >= $3 AND place < $4), $3), $1, $2 \
         WHERE true ON CONFLICT (org_id, note_id) DO NOTHING",
    )
    .bind(note_id)
    .bind(first_place(create_time))
    .bind(first_place(create_time).saturating_add(1 << PLACES))
    .execute(tx)
    .await
    .map(drop)
}

fn first_place(time: Timestamp) -> i64 {
    // A time that no note has: the places of the last one that one may have.
    time.as_micros().div_euclid(1_000).clamp(i64::MIN >> PLACES, i64::MAX >> PLACES) << PLACES
}

#[derive(db::FromRow)]
struct PlaceRow {
    note_id: NoteId,
    place: i64,
}

/// Notes that have all the tokens, newest first, at most `limit` before a place, and where each is: from the first time
/// of `span` and before the second. Some may be outside it, by less than a millisecond. There must be at least one token.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn find(
    tx: &mut Tx,
    tokens: &[Token],
    span: (Option<Timestamp>, Option<Timestamp>),
    before: Before,
    limit: i64,
) -> Result<Vec<(NoteId, Before)>, DbError> {
    let since = span.0.unwrap_or(Timestamp::from_micros(i64::MIN));
    let before = span.1.map_or(before, |until| before.min(Before::time(tx.engine(), until)));
    let query = match tx.engine() {
        Engine::Sqlite => tx
            .query(
                "SELECT note_id, place FROM note_index CROSS JOIN note_search ON place = note_index.rowid \
                 WHERE note_index MATCH $2 AND org_id = $1 AND note_index.rowid >= $3 AND note_index.rowid < $4 \
                 ORDER BY note_index.rowid DESC LIMIT $5",
            )
            .bind(fts5(tokens))
            .bind(first_place(since))
            .bind(before.0)
            .bind(limit),
        Engine::Postgres => tx
            .query(
                "SELECT note_id, create_time AS place FROM found_notes($1, CAST($2 AS tsquery), $3, $4, $5, $6)",
            )
            .bind(tsquery(tokens))
            .bind(since)
            .bind(before.0)
            .bind(before.1)
            .bind(limit),
    };
    let rows: Vec<PlaceRow> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.note_id, Before(row.place, row.note_id))).collect())
}

/// Tokens have no quotes in them, so that nothing in a query is syntax.
fn fts5(tokens: &[Token]) -> String {
    let quoted =
        tokens.iter().map(|Token { text, open }| format!("\"{text}\"{}", if *open { " *" } else { "" }));
    quoted.collect::<Vec<_>>().join(" AND ")
}

fn tsquery(tokens: &[Token]) -> String {
    let quoted =
        tokens.iter().map(|Token { text, open }| format!("'{text}'{}", if *open { ":*" } else { "" }));
    quoted.collect::<Vec<_>>().join(" & ")
}

/// A note as a search shows it.
#[derive(Debug)]
pub struct Found {
    /// Which.
    pub note_id: NoteId,
    /// What it is on.
    pub place: Place,
    /// Who wrote it.
    pub author: Author,
    /// What kind of note it is.
    pub kind: NoteKind,
    /// Its text.
    pub body: Body,
    /// When it was written.
    pub create_time: Timestamp,
    /// When its text was edited.
    pub update_time: Timestamp,
}

#[derive(db::FromRow)]
struct FoundRow {
    note_id: NoteId,
    conversation_id: Option<ConversationId>,
    contact_id: ContactId,
    origin_conversation_id: Option<ConversationId>,
    author_subject: Subject,
    author_role: String,
    author_name: String,
    body: String,
    create_time: Timestamp,
    update_time: Timestamp,
    is_handoff: bool,
}

impl TryFrom<FoundRow> for Found {
    type Error = DbError;

    fn try_from(row: FoundRow) -> Result<Self, DbError> {
        let (contact_id, origin) = (row.contact_id, row.origin_conversation_id);
        let place = match row.conversation_id {
            Some(conversation_id) => Place::Conversation { conversation_id, contact_id },
            None => Place::Contact { contact_id, origin },
        };
        Ok(Self {
            note_id: row.note_id,
            place,
            author: author(row.author_subject, &row.author_role, row.author_name)?,
            kind: if row.is_handoff { NoteKind::Handoff } else { place.kind() },
            body: Body::stored(row.body),
            create_time: row.create_time,
            update_time: row.update_time,
        })
    }
}

/// These notes, in whichever order. Deleted ones are left out, although the index has none.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn load(tx: &mut Tx, ids: &[NoteId]) -> Result<Vec<Found>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT note_id, conversation_id, contact_id, origin_conversation_id, author_subject, author_role, \
         author_name, body, create_time, update_time, handoff IS NOT NULL AS is_handoff FROM notes \
         WHERE org_id = $1 AND note_id IN {} AND delete_time IS NULL",
        db::rows(2, 1, ids.len())
    );
    let rows: Vec<FoundRow> = tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_all(tx).await?;
    rows.into_iter().map(Found::try_from).collect()
}
