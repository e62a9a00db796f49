//! The write of a new note: everything is decided before, one transaction, nothing but the database to wait for.

use std::collections::HashSet;
use std::sync::Arc;

use announce::Announcer;
use audit::Origin;
use db::{Db, Retry, Tx};
use kernel::{Clock, MergeId, NoteId, OrgId, Subject, Timestamp};
use merges::Home;
use outbox::{Event, Outbox};
use proto::notifications::v1::WebhookEventType;

use super::tell_followers::{follow, tell_followers};
use crate::domain::search::Entry;
use crate::domain::{Author, Body, Directory, Handle, Handoff, Note, Place, Receipt, Reply, decide};
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
    /// To whom it hands the conversation over, if it does.
    pub handoff: Option<Handoff>,
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
    /// The merges through which the contact it is about went to whoever it is about now.
    merges: Vec<MergeId>,
}

/// Where a note is written, and so whether the receiver of its handoff is told from here.
#[derive(Debug, Clone, Copy)]
enum Written {
    /// By a person who called this service.
    Here,
    /// By another service, which tells the receiver.
    Elsewhere,
}

impl Draft {
    /// Decides what becomes of the mentions and makes the note and its events. Ids and times are the clock's.
    pub fn new(clock: &Clock, new: NewNote, directory: &Directory) -> Self {
        Self::of(clock, new, directory, (clock.new_id().into(), clock.now()), Written::Here)
    }

    /// Like [`Draft::new`], of a note that another service wrote then, under an id of its choice. It tells the receiver of a handoff
    /// itself.
    pub fn from_elsewhere(
        clock: &Clock,
        new: NewNote,
        directory: &Directory,
        stamp: (NoteId, Timestamp),
    ) -> Self {
        Self::of(clock, new, directory, stamp, Written::Elsewhere)
    }

    fn of(
        clock: &Clock,
        new: NewNote,
        directory: &Directory,
        (note_id, now): (NoteId, Timestamp),
        written: Written,
    ) -> Self {
        // Nobody is told twice of one note: the receiver of a handoff is told of that.
        let told: HashSet<Subject> = new.handoff.iter().filter_map(Handoff::person).cloned().collect();
        let decision = decide(new.handles, directory, &[&new.author.subject], &told);
        let note = Note {
            note_id,
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
            handoff: new.handoff,
        };
        let mut events = events::of_new_note(clock, &note, &decision.recipients);
        if matches!(written, Written::Here) {
            events.extend(events::of_handoff(clock, &note));
        }
        let entry = Entry::of(&note, &decision.recipients);
        let merges = Vec::new();
        Self { note, recipients: decision.recipients, events, origin: new.origin, entry, merges }
    }

    /// The same, and the organization's webhooks are told if one wants to be.
    #[must_use]
    pub fn announced(mut self, clock: &Clock, announcer: &Announcer, org: &OrgId) -> Self {
        let told = || events::webhooks::of_new_note(clock, &self.note);
        let event = announcer.event(org, WebhookEventType::NoteCreated, told);
        self.events.extend(event);
        self
    }

    /// The same, about whoever stands for the contact.
    pub(super) fn at(&self, home: Home) -> Self {
        let note = Note { place: self.note.place.about(home.contact_id), ..self.note.clone() };
        let entry = Entry::of(&note, &self.recipients);
        let (recipients, events, origin) =
            (self.recipients.clone(), self.events.clone(), self.origin.clone());
        Self { note, recipients, events, origin, entry, merges: home.merges }
    }

    /// What the note will be on.
    pub fn place(&self) -> &Place {
        &self.note.place
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
    Ok(receipt.with_texts(draft.note.body.clone(), draft.note.handoff_texts()))
}

/// The statements of a new note: whoever stands for its contact, its retry key, the note, its words in the index, the people told (if any), the events, the
/// audit record; for a reply also the followers of its thread, for a handoff that its receiver follows it.
///
/// # Errors
/// [`Error::Reused`], [`Error::Database`].
pub async fn write(tx: &mut Tx, outbox: &Outbox, retry: &Retry, draft: Arc<Draft>) -> Result<Receipt, Error> {
    // Peers may have answered before they heard of a merge that we know of. Held, so that a merge which is taken back at this moment finds
    // the note, and takes it along.
    let home = merges::hold_home(tx, draft.note.place.contact_id()).await?;
    let draft = if home.merges.is_empty() { draft } else { Arc::new(draft.at(home)) };
    let (outbox, receipt) = (outbox.clone(), draft.note.receipt());
    db::once_answering(tx, retry, receipt, move |tx| Box::pin(insert(tx, outbox, draft))).await
}

/// What [`write`] does after its retry key.
pub(super) async fn insert(tx: &mut Tx, outbox: Outbox, draft: Arc<Draft>) -> Result<(), Error> {
    let Draft { note, recipients, events, origin, entry, merges } = &*draft;
    store::notes::insert_note(tx, note).await?;
    merges::remember(tx, merges, &[note.note_id.as_uuid()]).await?;
    store::search::index(tx, note.note_id, note.create_time, entry).await?;
    store::people::insert_people(tx, note.note_id, recipients, note.create_time).await?;
    outbox.record(tx, events).await?;
    audit::record(tx, origin, &[audit::Event::new("note.create", note.note_id)]).await?;
    let receiver = note.handoff.as_ref().and_then(Handoff::person).cloned();
    match (note.reply, receiver) {
        (Some(reply), receiver) => {
            let told: Vec<Subject> = recipients.iter().cloned().chain(receiver).collect();
            tell_followers(tx, &outbox, note, reply, &told).await
        }
        (None, Some(receiver)) => follow(tx, note.note_id, &[receiver], note.create_time).await.map(drop),
        (None, None) => Ok(()),
    }
}
