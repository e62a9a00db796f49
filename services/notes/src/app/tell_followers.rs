//! Whom a reply tells: those who follow its thread.

use std::collections::{BTreeSet, HashSet};

use db::Tx;
use kernel::{NoteId, Subject, Timestamp};
use outbox::Outbox;

use crate::domain::{Note, Reply, told_of_reply};
use crate::error::Error;
use crate::{events, store};

/// Tells the followers of a thread of a reply that was just written, except its author and those whom it mentions; from now on
/// they follow the thread, too.
///
/// # Errors
/// [`Error::Database`].
pub(super) async fn tell_followers(
    tx: &mut Tx,
    outbox: &Outbox,
    note: &Note,
    reply: Reply,
    mentioned: &[Subject],
) -> Result<(), Error> {
    let writers: Vec<Subject> = mentioned.iter().chain([&note.author.subject]).cloned().collect();
    let before = follow(tx, reply.thread, &writers, note.create_time).await?;
    let told = told_of_reply(before, &note.author.subject, mentioned);
    store::followers::insert_reply_recipients(tx, note.note_id, &told).await?;
    let events = events::of_reply(tx.clock(), note, &told);
    Ok(outbox.record(tx, &events).await?)
}

/// Makes followers of a thread of these people, and gives those who followed it before.
///
/// The note is written by then. As the notes of one conversation are written one after the other (they change the head of its
/// changes), a reply sees the followers of all replies before.
///
/// # Errors
/// [`Error::Database`].
pub(super) async fn follow(
    tx: &mut Tx,
    thread: NoteId,
    people: &[Subject],
    now: Timestamp,
) -> Result<HashSet<Subject>, Error> {
    let mut before = store::followers::list_followers(tx, thread).await?;
    let first = store::followers::list_first_people(tx, thread).await?;
    let new = people.iter().chain(&first).filter(|person| !before.contains(*person));
    let new: BTreeSet<&str> = new.map(Subject::as_str).collect();
    store::followers::insert_followers(tx, thread, &new, now).await?;
    before.extend(first);
    Ok(before)
}
