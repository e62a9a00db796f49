//! Handoffs from the side of those who take over: what waits for them, and acknowledging it (N9).

use audit::{Event, Origin};
use db::Tx;
use kernel::page::{Filling, limit};
use kernel::{NoteId, PageSize, Subject, Timestamp};
use outbox::Outbox;
use rpc::Call;

use super::App;
use super::read_notes::Page;
use crate::domain::{Author, NotAcknowledged, Note};
use crate::error::Error;
use crate::store::lists::After;
use crate::{events, store};

/// What page tokens of this list are sealed as.
const LIST: &str = "notes.unacknowledged";

struct Giving {
    note_id: NoteId,
    by: Author,
    expected: Option<i64>,
    now: Timestamp,
    outbox: Outbox,
    origin: Origin,
}

impl App {
    /// Acknowledges a handoff as its receiver, and tells its author. An acknowledged one stays as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchNote`], [`Error::NotAHandoff`], [`Error::NotTheReceiver`], [`Error::NoteDeleted`],
    /// [`Error::StaleVersion`], [`Error::Database`].
    pub async fn acknowledge_note(
        &self,
        call: &Call,
        note_id: NoteId,
        by: Author,
        expected: Option<i64>,
    ) -> Result<Note, Error> {
        let (now, outbox, origin) = (self.clock.now(), self.outbox.clone(), runtime::origin(call));
        let giving = Giving { note_id, by, expected, now, outbox, origin };
        let write = self.db.write(&call.caller.org, move |tx| Box::pin(acknowledge(tx, giving)));
        let note = write.await?;
        self.wake_watchers(call, &note.place);
        Ok(note.shown_to(call.caller.role))
    }

    /// Lists the handoffs to the caller that they have not acknowledged, oldest first.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a token of another list, [`Error::Database`].
    pub async fn list_unacknowledged(&self, call: &Call, size: PageSize, token: &str) -> Result<Page, Error> {
        let (org, subject) = (&call.caller.org, call.caller.subject.clone());
        let binding = format!("{org}/{subject}");
        let after: After = match token {
            "" => After::START,
            token => self.opened(LIST, &binding, token)?,
        };
        let read = self.db.read(org, move |tx| Box::pin(read_page(tx, subject, after, size.get())));
        let (notes, next): (_, Option<After>) = read.await?;
        let next_token = next.map(|next| self.seal.seal(LIST, binding.as_bytes(), &next)).unwrap_or_default();
        Ok(Page { notes, next_token })
    }
}

async fn acknowledge(tx: &mut Tx, giving: Giving) -> Result<Note, Error> {
    let Giving { note_id, by, expected, now, outbox, origin } = giving;
    let mut note = store::notes::lock_note(tx, note_id).await?.ok_or(Error::NoSuchNote)?;
    let given = note.acknowledge(by.clone(), now).map_err(|why| match why {
        NotAcknowledged::NoHandoff => Error::NotAHandoff { note_id },
        NotAcknowledged::NotTheReceiver => Error::NotTheReceiver { note_id },
        NotAcknowledged::Deleted => Error::NoteDeleted { note_id },
    });
    // Before the etag: it changed with the acknowledgement that is repeated here.
    if !given? {
        return Ok(note);
    }
    if expected.is_some_and(|expected| expected != note.version) {
        return Err(Error::StaleVersion { current: note.version });
    }
    note.version += 1;
    store::notes::update_marks(tx, &note).await?;
    outbox.record(tx, &[events::of_acknowledgement(tx.clock(), &note, &by, now)]).await?;
    audit::record(tx, &origin, &[Event::new("note.acknowledge", note_id)]).await?;
    Ok(note)
}

/// The notes behind a place that fit on a page, and where the next page begins, if there is one.
async fn read_page(
    tx: &mut Tx,
    subject: Subject,
    mut after: After,
    size: usize,
) -> Result<(Vec<Note>, Option<After>), Error> {
    let mut page = Filling::new(size);
    loop {
        let step = page.step();
        let notes = store::lists::list_unacknowledged(tx, &subject, after, limit(step)).await?;
        let ended = notes.len() < step;
        for note in notes {
            let (behind, bytes) = (After::note(&note), note.text_bytes());
            if !page.takes(note, bytes) {
                return Ok((page.items(), Some(after)));
            }
            after = behind;
        }
        if ended {
            return Ok((page.items(), None));
        }
    }
}
