//! Changing the text of a note.

use announce::Announcer;
use audit::Origin;
use db::{Retry, Tx};
use kernel::{Clock, NoteId};
use outbox::Outbox;
use rpc::Call;

use super::App;
use super::read_notes::find;
use super::tell_followers::follow;
use crate::domain::search::Entry;
use crate::domain::{Author, Body, Directory, Handle, Handoff, Note, Receipt, decide};
use crate::error::Error;
use crate::{events, store};

/// Another text for a note.
#[derive(Debug)]
pub struct Edit {
    /// Which note.
    pub note_id: NoteId,
    /// Who edits it.
    pub editor: Author,
    /// The new text.
    pub body: Body,
    /// Whom the new text mentions.
    pub handles: Vec<Handle>,
    /// The version the editor read; `None`: whatever it is now.
    pub expected: Option<i64>,
}

struct Rewrite {
    clock: Clock,
    outbox: Outbox,
    announcer: Announcer,
    edit: Edit,
    directory: Directory,
    origin: Origin,
}

impl App {
    /// Replaces the text of a note, keeps the earlier one as a revision, and tells people who were not told of this note
    /// before. The same text again changes nothing. A retry has the first answer.
    ///
    /// # Errors
    /// [`Error::NoSuchNote`], [`Error::NotTheAuthor`], [`Error::NoteDeleted`], [`Error::StaleVersion`], [`Error::Reused`],
    /// [`Error::Routing`], [`Error::Database`]; nothing is written then.
    pub async fn update_note(&self, call: &Call, retry: Retry, edit: Edit) -> Result<Note, Error> {
        let org = &call.caller.org;
        // Before routing is asked. Author and role do not change, so that it need not be repeated under the lock.
        let note = find(&self.db, org, edit.note_id).await?;
        if !note.may_be_changed_by(&edit.editor) {
            return Err(Error::NotTheAuthor { role: edit.editor.role, method: call.method.path });
        }
        let directory = self.peers.resolve(call, &edit.handles).await?;
        let (clock, outbox, request_id) = (self.clock.clone(), self.outbox.clone(), retry.request_id);
        let body = edit.body.clone();
        let origin = runtime::origin(call).of_request(request_id);
        let announcer = self.announcer.clone();
        let rewrite = Rewrite { clock, outbox, announcer, edit, directory, origin };
        let written = self.db.write_once(org, retry, move |tx| Box::pin(apply(tx, rewrite)));
        let receipt: Receipt = written.await.map_err(|error: Error| error.of_request(request_id))?;
        self.wake_watchers(call, &note.place);
        // What a handoff says beside its text stays as it is, and a retry may come when it is deleted.
        let texts = note.shown_to(call.caller.role).handoff_texts();
        Ok(receipt.with_texts(body, texts))
    }
}

async fn apply(tx: &mut Tx, rewrite: Rewrite) -> Result<Receipt, Error> {
    let Rewrite { clock, outbox, announcer, edit, directory, origin } = rewrite;
    let mut note = store::notes::lock_note(tx, edit.note_id).await?.ok_or(Error::NoSuchNote)?;
    if note.deletion.is_some() {
        return Err(Error::NoteDeleted { note_id: note.note_id });
    }
    if edit.expected.is_some_and(|expected| expected != note.version) {
        return Err(Error::StaleVersion { current: note.version });
    }
    if edit.body == note.body {
        return Ok(note.receipt());
    }
    let mentioned = store::people::list_people(tx, note.note_id).await?;
    let mut told = mentioned.clone();
    told.extend(note.handoff.as_ref().and_then(Handoff::person).cloned());
    if note.reply.is_some() {
        told.extend(store::followers::list_reply_recipients(tx, note.note_id).await?);
    }
    let decision = decide(edit.handles, &directory, &[&note.author.subject, &edit.editor.subject], &told);
    store::revisions::keep_revision(tx, note.note_id).await?;
    note.body = edit.body;
    note.mentions = decision.mentions;
    note.revision += 1;
    note.version += 1;
    // Never before the text it replaces, even if the clock was set back.
    note.update_time = clock.now().max(note.update_time);
    store::notes::update_note(tx, &note, &edit.editor).await?;
    let entry = Entry::of(&note, mentioned.iter().chain(&decision.recipients));
    store::search::index(tx, note.note_id, note.create_time, &entry).await?;
    store::people::insert_people(tx, note.note_id, &decision.recipients, note.update_time).await?;
    if let Some(reply) = note.reply
        && !decision.recipients.is_empty()
    {
        follow(tx, reply.thread, &decision.recipients, note.update_time).await?;
    }
    let events = events::of_mentions(&clock, &note, &edit.editor, &decision.recipients);
    outbox.record(tx, &events).await?;
    announcer.record(tx, vec![events::webhooks::of_edit(&clock, &note, &edit.editor)]).await?;
    audit::record(tx, &origin, &[audit::Event::new("note.update", note.note_id)]).await?;
    Ok(note.receipt())
}
