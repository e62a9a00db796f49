//! Who follows a thread, and who was told of a reply because of it.

use std::collections::{BTreeSet, HashSet};

use db::{DbError, Tx};
use kernel::{NoteId, Subject, Timestamp};

use super::people::ROWS;

/// The author of the note that began a thread and those it mentioned; nobody, if it is gone.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_first_people(tx: &mut Tx, thread: NoteId) -> Result<Vec<Subject>, DbError> {
    tx.query(
        "SELECT author_subject FROM notes WHERE org_id = $1 AND note_id = $2 \
         UNION SELECT subject FROM mentioned_people WHERE org_id = $1 AND note_id = $2",
    )
    .bind(thread)
    .fetch_values(tx)
    .await
}

/// Makes these people followers of a thread, in the order of their names, so that no two transactions wait for each other. One
/// statement for a thousand.
///
/// # Errors
/// [`DbError`] of the insert.
pub async fn insert_followers(
    tx: &mut Tx,
    thread: NoteId,
    people: &BTreeSet<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    let people: Vec<&str> = people.iter().copied().collect();
    for people in people.chunks(ROWS) {
        let rows = db::org_rows(people.len(), 3);
        let sql = format!(
            "INSERT INTO thread_followers (org_id, thread_id, subject, follow_time) VALUES {rows} \
             ON CONFLICT DO NOTHING"
        );
        let query = tx.query_dynamic(sql);
        let query = people.iter().fold(query, |query, person| query.bind(thread).bind(*person).bind(now));
        query.execute(tx).await?;
    }
    Ok(())
}

/// Everybody who follows a thread.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_followers(tx: &mut Tx, thread: NoteId) -> Result<HashSet<Subject>, DbError> {
    let people: Vec<Subject> = tx
        .query("SELECT subject FROM thread_followers WHERE org_id = $1 AND thread_id = $2")
        .bind(thread)
        .fetch_values(tx)
        .await?;
    Ok(people.into_iter().collect())
}

/// Remembers that these people, none of whom was told before, are told of the note now, as it is a reply. One statement for a
/// thousand.
///
/// # Errors
/// [`DbError`] of the insert.
pub async fn insert_reply_recipients(
    tx: &mut Tx,
    note_id: NoteId,
    people: &[Subject],
) -> Result<(), DbError> {
    for people in people.chunks(ROWS) {
        let rows = db::org_rows(people.len(), 2);
        let sql = format!("INSERT INTO reply_recipients (org_id, note_id, subject) VALUES {rows}");
        let query = tx.query_dynamic(sql);
        let query = people.iter().fold(query, |query, person| query.bind(note_id).bind(person));
        query.execute(tx).await?;
    }
    Ok(())
}

/// Everybody who was told of the note as it is a reply.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_reply_recipients(tx: &mut Tx, note_id: NoteId) -> Result<Vec<Subject>, DbError> {
    tx.query("SELECT subject FROM reply_recipients WHERE org_id = $1 AND note_id = $2")
        .bind(note_id)
        .fetch_values(tx)
        .await
}

/// Forgets who was told of a note as a reply.
///
/// # Errors
/// [`DbError`] of the delete.
pub async fn delete_reply_recipients(tx: &mut Tx, note_id: NoteId) -> Result<(), DbError> {
    tx.query("DELETE FROM reply_recipients WHERE org_id = $1 AND note_id = $2")
        .bind(note_id)
        .execute(tx)
        .await
        .map(drop)
}
