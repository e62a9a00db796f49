//! Notes that change hands because contacts were merged (C6): those on the contact, and those on conversations with them.

use std::collections::{HashMap, HashSet};

use db::{BoxFuture, DbError, Tx};
use kernel::{ContactId, NoteId, OrgId, Subject};
use merges::Rows;
use outbox::Wake;
use uuid::Uuid;

use super::{App, watch};
use crate::domain::search::Entry;
use crate::domain::watch::Target;
use crate::domain::{Note, Place};
use crate::error::Error;
use crate::store;
use crate::store::lists::Shelf;

/// The notes of this service, which follow merges.
#[derive(Clone)]
pub struct Notes {
    /// Wakes those who follow the notes of the two contacts.
    pub wake: Wake,
}

impl Rows for Notes {
    fn action(&self) -> &'static str {
        "note.move"
    }

    /// Few, as each is read and indexed anew: 64 KiB of text.
    fn at_once(&self) -> u16 {
        25
    }

    fn list<'t>(
        &'t self,
        tx: &'t mut Tx,
        contact: ContactId,
        limit: i64,
    ) -> BoxFuture<'t, Result<Vec<Uuid>, DbError>> {
        Box::pin(store::notes::lock_about(tx, contact, limit))
    }

    fn give<'t>(
        &'t self,
        tx: &'t mut Tx,
        rows: &'t [Uuid],
        from: ContactId,
        to: ContactId,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        Box::pin(async move {
            let ids: Vec<NoteId> = rows.iter().copied().map(NoteId::from_uuid).collect();
            let given = store::notes::give_notes(tx, &ids, from, to).await?;
            index_again(tx, &given).await?;
            for contact_id in [from, to] {
                watch::wake_after_commit(tx, &self.wake, &Place::Contact { contact_id, origin: None });
            }
            Ok(())
        })
    }
}

/// Lets searches find notes under the contact whose they are by now. Deleted ones are not found at all.
async fn index_again(tx: &mut Tx, ids: &[NoteId]) -> Result<(), DbError> {
    let mut told: HashMap<NoteId, HashSet<Subject>> = HashMap::new();
    for (note, person) in store::people::list_people_of(tx, ids).await? {
        told.entry(note).or_default().insert(person);
    }
    let notes: Vec<Note> = store::watch::load_notes(tx, ids).await?;
    for note in notes.iter().filter(|note| note.deletion.is_none()) {
        let entry = Entry::of(note, told.get(&note.note_id).into_iter().flatten());
        store::search::index(tx, note.note_id, note.create_time, &entry).await?;
    }
    Ok(())
}

impl App {
    /// The contact, or who stands for it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub(super) async fn home(&self, org: &OrgId, contact: ContactId) -> Result<ContactId, Error> {
        let home = self.db.read(org, move |tx| merges::home_of(tx, contact)).await?;
        Ok(home.contact_id)
    }

    /// Whether two contacts are one person: a peer, and whoever calls, may not have heard of the same merges.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub(super) async fn are_one(&self, org: &OrgId, one: ContactId, other: ContactId) -> Result<bool, Error> {
        Ok(one == other || self.home(org, one).await? == self.home(org, other).await?)
    }

    /// What to follow for somebody who names a contact that was merged away.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub(super) async fn home_target(&self, org: &OrgId, target: Target) -> Result<Target, Error> {
        match target {
            Target::Contact(contact) => self.home(org, contact).await.map(Target::Contact),
            Target::Conversation(_) => Ok(target),
        }
    }
}

/// Whose notes to list for somebody who names a contact that was merged away.
pub(super) async fn home_shelf(tx: &mut Tx, shelf: Shelf) -> Result<Shelf, DbError> {
    match shelf {
        Shelf::Contact(contact) => Ok(Shelf::Contact(merges::home_of(tx, contact).await?.contact_id)),
        Shelf::Conversation(_) => Ok(shelf),
    }
}
