//! Writing a note.

use std::collections::HashSet;
use std::sync::Arc;

use db::{Db, Retry, Tx};
use futures::future::try_join;
use kernel::{Clock, ConversationId, OrgId, Subject};
use outbox::{Event, Outbox};
use rpc::Call;

use super::App;
use crate::domain::{Author, Body, Directory, Handle, Note, Receipt, decide};
use crate::error::Error;
use crate::{events, store};

/// A note somebody wants to write.
#[derive(Debug)]
pub struct NewNote {
    /// On which conversation.
    pub conversation_id: ConversationId,
    /// Who writes it.
    pub author: Author,
    /// The text.
    pub body: Body,
    /// Whom it mentions.
    pub handles: Vec<Handle>,
}

/// Everything that one transaction has to write: made before it begins, so that the transaction only waits for the
/// database.
#[derive(Debug)]
pub struct Draft {
    note: Note,
    recipients: Vec<Subject>,
    events: Vec<Event>,
}

impl Draft {
    /// Decides what becomes of the mentions and makes the note and its events. Ids and times are the clock's.
    pub fn new(clock: &Clock, new: NewNote, directory: &Directory) -> Self {
        let decision = decide(new.handles, directory, &[&new.author.subject], &HashSet::new());
        let now = clock.now();
        let note = Note {
            note_id: clock.new_id().into(),
            conversation_id: new.conversation_id,
            author: new.author,
            body: new.body,
            mentions: decision.mentions,
            revision: 1,
            version: 1,
            create_time: now,
            update_time: now,
        };
        let events = events::of_new_note(clock, &note, &decision.recipients);
        Self { note, recipients: decision.recipients, events }
    }
}

impl App {
    /// Writes a note on a conversation and tells whom it mentions. A retry has the first answer.
    ///
    /// # Errors
    /// [`Error::Routing`] if the conversation is not there or routing does not answer, [`Error::Reused`],
    /// [`Error::Database`]; nothing is written then.
    pub async fn create_note(&self, call: &Call, retry: Retry, new: NewNote) -> Result<Note, Error> {
        // The caller's own token for both: routing decides as for that person. No transaction is open yet.
        let there = self.peers.require_conversation(call, new.conversation_id);
        let named = self.peers.resolve(call, &new.handles);
        let ((), directory) = try_join(there, named).await?;
        let draft = Draft::new(&self.clock, new, &directory);
        record(&self.db, &self.outbox, &call.caller.org, retry, draft).await
    }
}

/// The write of [`App::create_note`] and nothing else: one transaction, acknowledged once it is durable. Benchmarks
/// compare the RPC with it.
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

/// The statements of a new note: its retry key, the note, the people told (if any), the events.
///
/// # Errors
/// [`Error::Reused`], [`Error::Database`].
pub async fn write(tx: &mut Tx, outbox: &Outbox, retry: &Retry, draft: Arc<Draft>) -> Result<Receipt, Error> {
    let (outbox, receipt) = (outbox.clone(), draft.note.receipt());
    db::once_answering(tx, retry, receipt, move |tx| Box::pin(insert(tx, outbox, draft))).await
}

async fn insert(tx: &mut Tx, outbox: Outbox, draft: Arc<Draft>) -> Result<(), Error> {
    let Draft { note, recipients, events } = &*draft;
    store::notes::insert_note(tx, note).await?;
    store::people::insert_people(tx, note.note_id, recipients, note.create_time).await?;
    Ok(outbox.record(tx, events).await?)
}
