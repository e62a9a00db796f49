//! The id of a contact that was merged away stays good: it means whoever stands for it (C6).

use std::collections::HashMap;

use db::{DbError, Tx};
use kernel::ContactId;

use super::whole;
use crate::Error;
use crate::domain::Contact;
use crate::store::contacts::{self, ContactRow};
use crate::store::merges;

/// How often to look for who stands for a contact. Each round ends because somebody merged or parted them at that very moment.
const ROUNDS: usize = 5;

/// Who stands for the contact, if it was merged away.
pub(super) async fn find(tx: &mut Tx, id: ContactId) -> Result<Option<ContactId>, DbError> {
    let found = merges::list_survivors(tx, &[id]).await?;
    Ok(found.first().map(|(_, survivor)| *survivor))
}

/// The contact, or who stands for it.
pub(super) async fn get(tx: &mut Tx, id: ContactId) -> Result<Contact, Error> {
    let mut search = Search::of(id);
    for _ in 0..ROUNDS {
        if let Some(row) = contacts::find(tx, search.at).await? {
            return whole::one(tx, row).await;
        }
        search.go_on(tx).await?;
    }
    Err(Error::LostRace)
}

/// The contact, or who stands for it; until the transaction ends, nobody else changes it, its tags or its identities.
pub(super) async fn lock(tx: &mut Tx, id: ContactId) -> Result<ContactRow, Error> {
    let mut search = Search::of(id);
    for _ in 0..ROUNDS {
        if let Some(row) = contacts::lock(tx, search.at).await? {
            return Ok(row);
        }
        search.go_on(tx).await?;
    }
    Err(Error::LostRace)
}

/// Where to look next. PostgreSQL shows each statement what is there by then: between two, a merge may have been made or taken back.
struct Search {
    id: ContactId,
    at: ContactId,
    /// Neither the contact nor a merge of it was there; since then nothing was looked at but the contact.
    missed: bool,
}

impl Search {
    fn of(id: ContactId) -> Self {
        Self { id, at: id, missed: false }
    }

    /// After there was nobody at that place.
    async fn go_on(&mut self, tx: &mut Tx) -> Result<(), Error> {
        match find(tx, self.id).await? {
            Some(survivor) => (self.at, self.missed) = (survivor, false),
            None if self.missed => return Err(Error::NoSuchContact),
            None => (self.at, self.missed) = (self.id, true),
        }
        Ok(())
    }
}

/// These contacts, with who stands for those that were merged away; those that never were stay in.
pub(super) async fn each(tx: &mut Tx, ids: Vec<ContactId>) -> Result<Vec<ContactId>, DbError> {
    let survivors: HashMap<ContactId, ContactId> =
        merges::list_survivors(tx, &ids).await?.into_iter().collect();
    Ok(ids.into_iter().map(|id| survivors.get(&id).copied().unwrap_or(id)).collect())
}
