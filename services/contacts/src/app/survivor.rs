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
    let row = match contacts::find(tx, id).await? {
        Some(row) => row,
        None => {
            let survivor = find(tx, id).await?.ok_or(Error::NoSuchContact)?;
            contacts::find(tx, survivor).await?.ok_or(Error::NoSuchContact)?
        }
    };
    whole::one(tx, row).await
}

/// The contact, or who stands for it; until the transaction ends, nobody else changes it, its tags or its identities.
pub(super) async fn lock(tx: &mut Tx, id: ContactId) -> Result<ContactRow, Error> {
    let mut at = id;
    for _ in 0..ROUNDS {
        if let Some(row) = contacts::lock(tx, at).await? {
            return Ok(row);
        }
        at = find(tx, id).await?.ok_or(Error::NoSuchContact)?;
    }
    Err(Error::LostRace)
}

/// These contacts, with who stands for those that were merged away; those that never were stay in.
pub(super) async fn each(tx: &mut Tx, ids: Vec<ContactId>) -> Result<Vec<ContactId>, DbError> {
    let survivors: HashMap<ContactId, ContactId> =
        merges::list_survivors(tx, &ids).await?.into_iter().collect();
    Ok(ids.into_iter().map(|id| survivors.get(&id).copied().unwrap_or(id)).collect())
}
