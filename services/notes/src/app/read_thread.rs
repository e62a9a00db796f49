//! Reading a thread.

use db::Tx;
use kernel::page::{Filling, limit};
use kernel::{NoteId, PageSize};
use rpc::Call;

use super::App;
use super::read_notes::Page;
use crate::domain::Note;
use crate::error::Error;
use crate::store;
use crate::store::lists::After;

/// What page tokens of this list are sealed as.
const LIST: &str = "notes.thread";

impl App {
    /// Lists the thread of a note: the one that began it, then the replies, oldest first.
    ///
    /// # Errors
    /// [`Error::NoSuchNote`], [`Error::Malformed`] for a token of another list, [`Error::Database`].
    pub async fn list_thread(
        &self,
        call: &Call,
        note_id: NoteId,
        size: PageSize,
        token: String,
    ) -> Result<Page, Error> {
        let org = &call.caller.org;
        let thread = super::read_notes::find(&self.db, org, note_id).await?.thread();
        let binding = format!("{org}/{thread}");
        let after: Option<After> = match token.as_str() {
            "" => None,
            token => Some(self.opened(LIST, &binding, token)?),
        };
        let read = self.db.read(org, move |tx| Box::pin(read_page(tx, thread, after, size.get())));
        let (notes, next): (_, Option<After>) = read.await?;
        let next_token = next.map(|next| self.seal.seal(LIST, binding.as_bytes(), &next)).unwrap_or_default();
        let role = call.caller.role;
        Ok(Page { notes: notes.into_iter().map(|note| note.shown_to(role)).collect(), next_token })
    }
}

/// The notes behind a place that fit on a page, and where the next page begins, if there is one. Nothing before: the note that
/// began the thread comes first, unless it is gone.
async fn read_page(
    tx: &mut Tx,
    thread: NoteId,
    after: Option<After>,
    size: usize,
) -> Result<(Vec<Note>, Option<After>), Error> {
    let mut page = Filling::new(size);
    if after.is_none()
        && let Some(first) = store::notes::find_note(tx, thread).await?
    {
        let bytes = first.text_bytes();
        page.takes(first, bytes);
    }
    let mut after = after.unwrap_or(After::START);
    loop {
        let step = page.step();
        let replies = store::lists::list_replies(tx, thread, after, limit(step)).await?;
        let ended = replies.len() < step;
        for reply in replies {
            let (behind, bytes) = (After::note(&reply), reply.text_bytes());
            if !page.takes(reply, bytes) {
                return Ok((page.items(), Some(after)));
            }
            after = behind;
        }
        if ended {
            return Ok((page.items(), None));
        }
    }
}
