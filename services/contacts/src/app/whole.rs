//! Contacts put together from their tables: two statements for any number of them.

use std::collections::HashMap;

use db::{DbError, Tx};
use kernel::ContactId;

use crate::Error;
use crate::domain::{Contact, Identity, Tag};
use crate::store::contacts::{self, ContactRow};
use crate::store::{identities, tags};

/// The contact of this id.
pub(super) async fn get(tx: &mut Tx, id: ContactId) -> Result<Contact, Error> {
    let row = contacts::find(tx, id).await?.ok_or(Error::NoSuchContact)?;
    one(tx, row).await
}

/// The contact of this row.
pub(super) async fn one(tx: &mut Tx, row: ContactRow) -> Result<Contact, Error> {
    let whole = all(tx, vec![row]).await?;
    whole.into_iter().next().ok_or(Error::NoSuchContact)
}

/// The contacts of these rows, in their order.
pub(super) async fn all(tx: &mut Tx, rows: Vec<ContactRow>) -> Result<Vec<Contact>, DbError> {
    let ids: Vec<ContactId> = rows.iter().map(|row| row.contact_id).collect();
    let mut tags: HashMap<ContactId, Vec<Tag>> = by_contact(tags::list_of(tx, &ids).await?);
    let mut identities: HashMap<ContactId, Vec<Identity>> = by_contact(identities::list_of(tx, &ids).await?);
    let whole = |row: ContactRow| {
        let (tags, identities) = (tags.remove(&row.contact_id), identities.remove(&row.contact_id));
        row.with(tags.unwrap_or_default(), identities.unwrap_or_default())
    };
    Ok(rows.into_iter().map(whole).collect())
}

fn by_contact<T>(found: Vec<(ContactId, T)>) -> HashMap<ContactId, Vec<T>> {
    let mut sorted: HashMap<ContactId, Vec<T>> = HashMap::new();
    for (contact, one) in found {
        sorted.entry(contact).or_default().push(one);
    }
    sorted
}
