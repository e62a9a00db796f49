//! Reading notes: one, and those of a conversation or a contact page by page.

use db::{Db, Tx};
use kernel::page::{Filling, limit};
use kernel::{NoteId, OrgId, PageSize, Timestamp};
use rpc::Call;
use serde::{Deserialize, Serialize};

use super::App;
use super::follow_merges::home_shelf;
use crate::domain::Note;
use crate::error::Error;
use crate::store;
use crate::store::lists::{After, Shelf};

/// What page tokens of these lists are sealed as.
const OF_CONVERSATION: &str = "notes.list";
const OF_CONTACT: &str = "notes.of_contact";

/// Which page of the notes on something.
#[derive(Debug)]
pub struct PageRequest {
    /// Whose notes.
    pub shelf: Shelf,
    /// How many, at most.
    pub size: PageSize,
    /// The token of the page before; empty for the first.
    pub token: String,
}

/// A page of notes.
#[derive(Debug)]
pub struct Page {
    /// In the order of the list.
    pub notes: Vec<Note>,
    /// Where the next page begins; empty at the end.
    pub next_token: String,
}

/// Where a page begins. The pinned notes come first; what is pinned only after the first page was read keeps its place among
/// the others, so that pinning while somebody reads on hides nothing from them.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor {
    begun: Timestamp,
    pinned: bool,
    after: After,
}

impl App {
    /// Reads one note.
    ///
    /// # Errors
    /// [`Error::NoSuchNote`], [`Error::Database`].
    pub async fn get_note(&self, call: &Call, note_id: NoteId) -> Result<Note, Error> {
        Ok(find(&self.db, &call.caller.org, note_id).await?.shown_to(call.caller.role))
    }

    /// Lists the notes on a conversation or a contact: pinned ones first, then oldest first.
    ///
    /// A peer is asked only where there is no note: what has notes exists. So notes can be read while the peer is away.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a token of another list, [`Error::Routing`] or [`Error::Contacts`] if what it is about is not
    /// there, [`Error::Database`].
    pub async fn list_notes(&self, call: &Call, page: PageRequest) -> Result<Page, Error> {
        let org = &call.caller.org;
        let PageRequest { shelf, size, token } = page;
        let (list, id) = match shelf {
            Shelf::Conversation(id) => (OF_CONVERSATION, id.as_uuid()),
            Shelf::Contact(id) => (OF_CONTACT, id.as_uuid()),
        };
        let binding = format!("{org}/{id}");
        let cursor = match token.as_str() {
            "" => Cursor { begun: self.clock.now(), pinned: true, after: After::START },
            token => self.opened(list, &binding, token)?,
        };
        let read = self.db.read(org, move |tx| Box::pin(read_page(tx, shelf, cursor, size.get())));
        let (notes, next): (_, Option<Cursor>) = read.await?;
        if notes.is_empty() && token.is_empty() {
            match shelf {
                Shelf::Conversation(id) => drop(self.peers.contact_of(call, id).await?),
                Shelf::Contact(id) => self.peers.require_contact(call, id).await?,
            }
        }
        let next_token = next.map(|next| self.seal.seal(list, binding.as_bytes(), &next)).unwrap_or_default();
        let role = call.caller.role;
        Ok(Page { notes: notes.into_iter().map(|note| note.shown_to(role)).collect(), next_token })
    }

    /// What is in the token of a page.
    pub(super) fn opened<T: serde::de::DeserializeOwned>(
        &self,
        list: &'static str,
        binding: &str,
        token: &str,
    ) -> Result<T, Error> {
        Ok(self.seal.open(list, binding.as_bytes(), token).map_err(|malformed| malformed.at("page_token"))?)
    }
}

/// The notes behind a place that fit on a page, and where the next page begins, if there is one.
async fn read_page(
    tx: &mut Tx,
    shelf: Shelf,
    mut cursor: Cursor,
    size: usize,
) -> Result<(Vec<Note>, Option<Cursor>), Error> {
    let shelf = home_shelf(tx, shelf).await?;
    let mut page = Filling::new(size);
    loop {
        let step = page.step();
        let Cursor { begun, pinned, after } = cursor;
        let notes = if pinned {
            store::lists::list_pinned(tx, shelf, after, limit(step)).await?
        } else {
            store::lists::list_unpinned(tx, shelf, begun, after, limit(step)).await?
        };
        let ended = notes.len() < step;
        for note in notes {
            let pin_time = note.pin.as_ref().map(|pin| pin.time).filter(|_| pinned);
            let behind = After(pin_time.unwrap_or(note.create_time), note.note_id);
            let bytes = note.text_bytes();
            if !page.takes(note, bytes) {
                return Ok((page.items(), Some(cursor)));
            }
            cursor.after = behind;
        }
        match (ended, pinned) {
            (false, _) => {}
            (true, true) => cursor = Cursor { pinned: false, after: After::START, ..cursor },
            (true, false) => return Ok((page.items(), None)),
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
