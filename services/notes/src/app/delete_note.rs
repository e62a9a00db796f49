//! Deleting a note: for good on a contact, as the organization decided on a conversation.

use audit::{Event, Origin};
use db::{Retry, Tx};
use kernel::NoteId;
use rpc::Call;

use super::{App, watch};
use crate::domain::{Author, ConversationNoteDeletion, Mark, Note, Place};
use crate::error::Error;
use crate::events::webhooks;
use crate::store;

/// A note somebody wants to delete.
#[derive(Debug)]
pub struct Deletion {
    /// Which note.
    pub note_id: NoteId,
    /// Who deletes it.
    pub by: Author,
    /// The version they read; `None`: whatever it is now.
    pub expected: Option<i64>,
}

impl App {
    /// Deletes a note. One on a contact is gone, with all its texts; what stays is the audit record, which has no content. One on
    /// a conversation stays, or keeps its place without its text. Deleting a deleted one changes nothing.
    ///
    /// # Errors
    /// [`Error::NoSuchNote`], [`Error::NotTheAuthor`], [`Error::DisabledBySetting`], [`Error::StaleVersion`], [`Error::Reused`],
    /// [`Error::Database`]; nothing is deleted then.
    pub async fn delete_note(&self, call: &Call, retry: Retry, deletion: Deletion) -> Result<(), Error> {
        let (now, method, request_id) = (self.clock.now(), call.method.path, retry.request_id);
        let (origin, wake) = (runtime::origin(call).of_request(request_id), self.wake.clone());
        let (announcer, clock) = (self.announcer.clone(), self.clock.clone());
        let write = self.db.write_once(&call.caller.org, retry, move |tx| {
            Box::pin(async move {
                let Deletion { note_id, by, expected } = deletion;
                let note = store::notes::lock_note(tx, note_id).await?.ok_or(Error::NoSuchNote)?;
                if !note.may_be_changed_by(&by) {
                    return Err(Error::NotTheAuthor { role: by.role, method });
                }
                if note.deletion.is_some() {
                    return Ok(());
                }
                if expected.is_some_and(|expected| expected != note.version) {
                    return Err(Error::StaleVersion { current: note.version });
                }
                watch::wake_after_commit(tx, &wake, &note.place);
                announcer.record(tx, vec![webhooks::of_deletion(&clock, &note, &by, now)]).await?;
                delete(tx, note, Mark { by, time: now }, &origin).await
            })
        });
        write.await.map_err(|error: Error| error.of_request(request_id))
    }
}

async fn delete(tx: &mut Tx, note: Note, mark: Mark, origin: &Origin) -> Result<(), Error> {
    let note_id = note.note_id;
    match note.place {
        Place::Contact { .. } => remove(tx, note_id).await?,
        Place::Conversation { .. } => {
            let settings = store::settings::find_settings(tx).await?;
            match settings.conversation_note_deletion {
                ConversationNoteDeletion::Forbidden => {
                    return Err(Error::DisabledBySetting { setting: "conversation_note_deletion" });
                }
                ConversationNoteDeletion::Tombstone => bury(tx, note, mark).await?,
            }
        }
    }
    Ok(audit::record(tx, origin, &[Event::new("note.delete", note_id)]).await?)
}

/// Leaves nothing of a note. Replies to it stay, as other people wrote them.
async fn remove(tx: &mut Tx, note_id: NoteId) -> Result<(), Error> {
    store::revisions::delete_revisions(tx, note_id).await?;
    store::people::delete_people(tx, note_id).await?;
    store::followers::delete_reply_recipients(tx, note_id).await?;
    Ok(store::notes::delete_note(tx, note_id).await?)
}

/// Leaves the note where it is, not pinned, for admins to read.
async fn bury(tx: &mut Tx, note: Note, mark: Mark) -> Result<(), Error> {
    let note = Note { pin: None, deletion: Some(mark), version: note.version + 1, ..note };
    Ok(store::notes::update_marks(tx, &note).await?)
}
