//! Reading the texts a note had.

use db::Tx;
use kernel::page::{Filling, limit};
use kernel::{NoteId, PageSize, Role};
use rpc::Call;

use super::App;
use crate::domain::{Body, Revision};
use crate::error::Error;
use crate::store;

/// What page tokens of this list are sealed as.
const LIST: &str = "notes.revisions";

impl App {
    /// Lists the texts of a note, the first one first and the present one last, and gives the token of the next page. What a
    /// deleted note said only admins read.
    ///
    /// # Errors
    /// [`Error::NoSuchNote`], [`Error::Malformed`] for a token of another list, [`Error::Database`].
    pub async fn list_revisions(
        &self,
        call: &Call,
        note_id: NoteId,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<Revision>, String), Error> {
        let (org, role) = (&call.caller.org, call.caller.role);
        let binding = format!("{org}/{note_id}");
        let after: i64 = match token {
            "" => 0,
            token => self.opened(LIST, &binding, token)?,
        };
        let read = self.db.read(org, move |tx| Box::pin(read_page(tx, note_id, role, after, size.get())));
        let (revisions, next): (_, Option<i64>) = read.await?;
        let next = next.map(|next| self.seal.seal(LIST, binding.as_bytes(), &next));
        Ok((revisions, next.unwrap_or_default()))
    }
}

async fn read_page(
    tx: &mut Tx,
    note_id: NoteId,
    reader: Role,
    mut after: i64,
    size: usize,
) -> Result<(Vec<Revision>, Option<i64>), Error> {
    let note = store::notes::find_note(tx, note_id).await?.ok_or(Error::NoSuchNote)?;
    let legible = note.is_legible_to(reader);
    let mut page = Filling::new(size);
    loop {
        let step = page.step();
        let revisions = store::revisions::list_revisions(tx, note_id, after, limit(step)).await?;
        let ended = revisions.len() < step;
        for mut revision in revisions {
            if !legible {
                revision.body = Body::default();
            }
            let (number, bytes) = (revision.revision, revision.body.as_str().len());
            if !page.takes(revision, bytes) {
                return Ok((page.items(), Some(after)));
            }
            after = number;
        }
        if ended {
            return Ok((page.items(), None));
        }
    }
}
