//! The write of a new note: everything is decided before, one transaction, nothing but the database to wait for.

use std::collections::HashSet;
use std::sync::Arc;

use audit::Origin;
use db::{Db, Retry, Tx};
use kernel::{Clock, NoteId, OrgId, Subject};
use outbox::{Event, Outbox};

use super::tell_followers::tell_followers;
use crate::domain::search::Entry;
use crate::domain::{Author, Body, Directory, Handle, Note, Place, Receipt, Reply, decide};
use crate::error::Error;
use crate::{events, store};

/// A note somebody wants to write, where it may be written.
#[derive(Debug)]
pub struct NewNote {
    /// What it is on.
    pub place: Place,
    /// What it replies to, if it is a reply.
    pub reply: Option<Reply>,
    /// Who writes it.
    pub author: Author,
    /// The text.
    pub body: Body,
    /// Whom it mentions.
    pub handles: Vec<Handle>,
    /// What the audit trail says of where it comes from.
    pub origin: Origin,
}

/// Everything that one transaction has to write: made before it begins, so that the transaction only waits for the
/// database.
#[derive(Debug)]
pub struct Draft {
    note: Note,
    recipients: Vec<Subject>,
    events: Vec<Event>,
    origin: Origin,
    entry: Entry,
}

impl Draft {
    /// Decides what becomes of the mentions and makes the note and its events. Ids and times are the clock's.
    pub fn new(clock: &Clock, new: NewNote, directory: &Directory) -> Self {
        let decision = decide(new.handles, directory, &[&new.author.subject], &HashSet::new());
        let now = clock.now();
        let note = Note {
            note_id: clock.new_id().into(),
            place: new.place,
            reply: new.reply,
            author: new.author,
            body: new.body,
            mentions: decision.mentions,
            revision: 1,
            version: 1,
            create_time: now,
            update_time: now,
            pin: None,
            deletion: None,
        };
        let events = events::of_new_note(clock, &note, &decision.recipients);
        let entry = Entry::of(&note, &decision.recipients);
        Self { note, recipients: decision.recipients, events, origin: new.origin, entry }
    }

    /// The id the note will have.
    pub fn note_id(&self) -> NoteId {
        self.note.note_id
    }
}

/// Writes a note and nothing else: one transaction, acknowledged once it is durable. A retry of the same request has the
/// first answer. Benchmarks compare the RPC with it.
///
/// # Errors
/// [`Error::Reused`], [`Error::Database`].
pub async fn record(
    db: &Db,
    outbox: &Outbox,
    org: &OrgId,
    retry: Retry,
    draft: Draft,
) -> Result<Note, Error> {
    let (outbox, request_id) = (outbox.clone(), retry.request_id);
    let draft = Arc::new(draft);
    let mine = Arc::clone(&draft);
    let receipt =
        db.write(org, move |tx| Box::pin(async move { write(tx, &outbox, &retry, mine).await })).await;
    let receipt = receipt.map_err(|error: Error| error.of_request(request_id))?;
    Ok(receipt.with_body(draft.note.body.clone()))
}

/// The statements of a new note: its retry key, the note, its words in the index, the people told (if any), the events, the
/// audit record; for a reply also the followers of its thread.
///
/// # Errors
/// [`Error::Reused`], [`Error::Database`].
pub async fn write(tx: &mut Tx, outbox: &Outbox, retry: &Retry, draft: Arc<Draft>) -> Result<Receipt, Error> {
    let (outbox, receipt) = (outbox.clone(), draft.note.receipt());
    db::once_answering(tx, retry, receipt, move |tx| Box::pin(insert(tx, outbox, draft))).await
}

async fn insert(tx: &mut Tx, outbox: Outbox, draft: Arc<Draft>) -> Result<(), Error> {
    let Draft { note, recipients, events, origin, entry } = &*draft;
    store::notes::insert_note(tx, note).await?;
    store::search::index(tx, note.note_id, note.create_time, entry).await?;
    store::people::insert_people(tx, note.note_id, recipients, note.create_time).await?;
    outbox.record(tx, events).await?;
    audit::record(tx, origin, &[audit::Event::new("note.create", note.note_id)]).await?;
    match note.reply {
        Some(reply) => tell_followers(tx, &outbox, note, reply, recipients).await,
        None => Ok(()),
    }
}
