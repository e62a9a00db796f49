//! What contacts are found by (C5), and what they may share with others (C6), follows what they are.

use std::collections::BTreeSet;

use db::{DbError, Tx};
use kernel::{ContactId, OrgId};

use super::{App, duplicates, whole};
use crate::Error;
use crate::domain::{Contact, Entry, entries};
use crate::store::{backlog, contacts, search};

/// Contacts of the backlog that are read at once.
const AT_ONCE: i64 = 100;

/// Stores what a new contact is found by, and may share with others.
pub(super) async fn add(tx: &mut Tx, contact: &Contact) -> Result<(), DbError> {
    let entries: Vec<Entry> = entries(contact).into_iter().collect();
    search::insert(tx, contact.contact_id, &entries).await?;
    duplicates::add(tx, contact).await
}

/// Stores what a changed contact is found by, and may share with others, where it is another than before. For the holder of the contact's lock.
pub(super) async fn follow(tx: &mut Tx, contact: &Contact) -> Result<(), DbError> {
    let old: BTreeSet<Entry> = search::list_of(tx, contact.contact_id).await?.into_iter().collect();
    let new = entries(contact);
    let gone: Vec<Entry> = old.difference(&new).cloned().collect();
    let come: Vec<Entry> = new.difference(&old).cloned().collect();
    search::remove(tx, contact.contact_id, &gone).await?;
    search::insert(tx, contact.contact_id, &come).await?;
    duplicates::follow(tx, contact).await
}

impl App {
    /// Gives some of the contacts that were there before searches were what they are found by; tells whether there may be more.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn index_older(&self) -> Result<bool, Error> {
        let waiting =
            self.db.read_system(|tx| Box::pin(backlog::list(tx, AT_ONCE))).await.map_err(Error::Database)?;
        let more = !waiting.is_empty();
        for (org, contact) in waiting {
            self.index_one(&org, contact).await?;
        }
        Ok(more)
    }

    async fn index_one(&self, org: &OrgId, id: ContactId) -> Result<(), Error> {
        let indexed = self.db.write(org, move |tx| {
            Box::pin(async move {
                if let Some(row) = contacts::lock(tx, id).await? {
                    let contact = whole::one(tx, row).await?;
                    follow(tx, &contact).await?;
                }
                backlog::remove(tx, id).await.map_err(Error::from)
            })
        });
        indexed.await
    }
}
