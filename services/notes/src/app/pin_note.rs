//! Pinning a note, and taking the pin off.

use audit::{Event, Origin};
use db::Tx;
use kernel::NoteId;
use rpc::Call;

use super::App;
use crate::domain::{Author, Mark, Note};
use crate::error::Error;
use crate::store;

impl App {
    /// Pins a note. Who pinned it first stays who pinned it.
    ///
    /// # Errors
    /// [`Error::NoSuchNote`], [`Error::NoteDeleted`], [`Error::Database`].
    pub async fn pin_note(&self, call: &Call, note_id: NoteId, by: Author) -> Result<Note, Error> {
        let (mark, origin) = (Mark { by, time: self.clock.now() }, runtime::origin(call));
        let write = self.db.write(&call.caller.org, move |tx| Box::pin(pin(tx, note_id, mark, origin)));
        let note = write.await?;
        self.wake_watchers(call, &note.place);
        Ok(note.shown_to(call.caller.role))
    }

    /// Takes the pin off a note.
    ///
    /// # Errors
    /// [`Error::NoSuchNote`], [`Error::Database`].
    pub async fn unpin_note(&self, call: &Call, note_id: NoteId) -> Result<Note, Error> {
        let origin = runtime::origin(call);
        let write = self.db.write(&call.caller.org, move |tx| Box::pin(unpin(tx, note_id, origin)));
        let note = write.await?;
        self.wake_watchers(call, &note.place);
        Ok(note.shown_to(call.caller.role))
    }
}

async fn pin(tx: &mut Tx, note_id: NoteId, mark: Mark, origin: Origin) -> Result<Note, Error> {
    let mut note = store::notes::lock_note(tx, note_id).await?.ok_or(Error::NoSuchNote)?;
    if note.deletion.is_some() {
        return Err(Error::NoteDeleted { note_id });
    }
    if note.pin.is_none() {
        note.pin = Some(mark);
        note.version += 1;
        store::notes::update_marks(tx, &note).await?;
        audit::record(tx, &origin, &[Event::new("note.pin", note_id)]).await?;
    }
    Ok(note)
}

async fn unpin(tx: &mut Tx, note_id: NoteId, origin: Origin) -> Result<Note, Error> {
    let mut note = store::notes::lock_note(tx, note_id).await?.ok_or(Error::NoSuchNote)?;
    if note.pin.take().is_some() {
        note.version += 1;
        store::notes::update_marks(tx, &note).await?;
        audit::record(tx, &origin, &[Event::new("note.unpin", note_id)]).await?;
    }
    Ok(note)
}
