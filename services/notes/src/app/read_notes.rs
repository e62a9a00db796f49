//! Reading notes.

use db::{Db, Tx};
use kernel::{ConversationId, NoteId, OrgId, PageSize};
use rpc::Call;

use super::App;
use crate::domain::Note;
use crate::error::Error;
use crate::store;
use crate::store::notes::After;

/// What page tokens of this list are sealed as.
const LIST: &str = "notes.list";

/// Bytes of text on a page, after which it ends: clients refuse answers of more than 4 MiB unless told otherwise.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// Notes read by one statement: so much of what a page then has no room for is in memory at most.
const STEP: usize = 32;

/// Which page of a conversation's notes.
#[derive(Debug)]
pub struct PageRequest {
    /// Whose notes.
    pub conversation_id: ConversationId,
    /// How many, at most.
    pub size: PageSize,
    /// The token of the page before; empty for the first.
    pub token: String,
}

/// A page of notes.
#[derive(Debug)]
pub struct Page {
    /// Oldest first.
    pub notes: Vec<Note>,
    /// Where the next page begins; empty at the end.
    pub next_token: String,
}

impl App {
    /// Reads one note.
    ///
    /// # Errors
    /// [`Error::NoSuchNote`], [`Error::Database`].
    pub async fn get_note(&self, call: &Call, note_id: NoteId) -> Result<Note, Error> {
        find(&self.db, &call.caller.org, note_id).await
    }

    /// Lists the notes of a conversation, oldest first.
    ///
    /// Routing is asked only where there is no note: a conversation with notes exists. So notes can be read while
    /// routing is away.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a token of another list, [`Error::Routing`] if the conversation is not there,
    /// [`Error::Database`].
    pub async fn list_notes(&self, call: &Call, page: PageRequest) -> Result<Page, Error> {
        let org = &call.caller.org;
        let PageRequest { conversation_id, size, token } = page;
        let binding = format!("{org}/{conversation_id}");
        let after = match token.as_str() {
            "" => After::START,
            token => self
                .seal
                .open(LIST, binding.as_bytes(), token)
                .map_err(|malformed| malformed.at("page_token"))?,
        };
        let (notes, more) =
            self.db.read(org, move |tx| Box::pin(read_page(tx, conversation_id, after, size.get()))).await?;
        if notes.is_empty() && token.is_empty() {
            self.peers.require_conversation(call, conversation_id).await?;
        }
        let last = notes.last().filter(|_| more).map(After::note);
        let next_token = last.map(|last| self.seal.seal(LIST, binding.as_bytes(), &last)).unwrap_or_default();
        Ok(Page { notes, next_token })
    }
}

/// The notes behind a place that fit on a page, and whether there are more: at least one, at most `size`, and no more
/// than [`PAGE_BYTES`] if it can be.
async fn read_page(
    tx: &mut Tx,
    id: ConversationId,
    mut after: After,
    size: usize,
) -> Result<(Vec<Note>, bool), Error> {
    let (mut page, mut bytes) = (Vec::new(), 0);
    loop {
        // One more than fits, which says that there is more.
        let step = STEP.min(size + 1 - page.len());
        let notes = store::notes::list_notes(tx, id, after, i64::try_from(step).unwrap_or(i64::MAX)).await?;
        let ended = notes.len() < step;
        for note in notes {
            bytes += note.body.as_str().len();
            if page.len() == size || (bytes > PAGE_BYTES && !page.is_empty()) {
                return Ok((page, true));
            }
            after = After::note(&note);
            page.push(note);
        }
        if ended {
            return Ok((page, false));
        }
    }
}

/// The note of the organization.
///
/// # Errors
/// [`Error::NoSuchNote`], [`Error::Database`].
pub(super) async fn find(db: &Db, org: &OrgId, note_id: NoteId) -> Result<Note, Error> {
    let found = db.read(org, move |tx| Box::pin(async move { store::notes::find_note(tx, note_id).await }));
    found.await?.ok_or(Error::NoSuchNote)
}
