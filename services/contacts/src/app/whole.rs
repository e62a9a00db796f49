//! Contacts put together from their tables: a few statements for any number of them.

use std::collections::HashMap;

use db::{DbError, Tx};
use kernel::page::MOST_BYTES;
use kernel::{ContactId, PageSize};

use crate::Error;
use crate::domain::{Attribute, Contact, Identity, Tag};
use crate::store::contacts::{self, ContactRow};
use crate::store::{attributes, identities, tags};

/// Contacts put together at once: so much of what a page then has no room for is in memory at most.
const STEP: usize = 32;

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

/// The contacts of these ids; nothing for those that are not there.
pub(super) async fn by_id(tx: &mut Tx, ids: &[ContactId]) -> Result<HashMap<ContactId, Contact>, DbError> {
    let rows = contacts::list_by_id(tx, ids).await?;
    let contacts = all(tx, rows).await?;
    Ok(contacts.into_iter().map(|contact| (contact.contact_id, contact)).collect())
}

/// The contacts of these rows, in their order, as many as a page has room for; and the last of them, if there are more.
pub(super) async fn page(
    tx: &mut Tx,
    mut rows: Vec<ContactRow>,
    size: PageSize,
) -> Result<(Vec<Contact>, Option<ContactId>), DbError> {
    let found = rows.len();
    rows.truncate(size.get());
    let contacts = fitting(tx, rows).await?;
    let last = contacts.last().filter(|_| contacts.len() < found).map(|contact| contact.contact_id);
    Ok((contacts, last))
}

/// The first contacts of these rows, until a page is full: at least one.
async fn fitting(tx: &mut Tx, rows: Vec<ContactRow>) -> Result<Vec<Contact>, DbError> {
    let (mut page, mut bytes) = (Vec::with_capacity(rows.len()), 0);
    let mut rows = rows.into_iter();
    loop {
        let step: Vec<ContactRow> = rows.by_ref().take(STEP).collect();
        if step.is_empty() {
            return Ok(page);
        }
        for contact in all(tx, step).await? {
            bytes += contact.weight();
            if bytes > MOST_BYTES && !page.is_empty() {
                return Ok(page);
            }
            page.push(contact);
        }
    }
}

/// The contacts of these rows, in their order.
pub(super) async fn all(tx: &mut Tx, rows: Vec<ContactRow>) -> Result<Vec<Contact>, DbError> {
    let ids: Vec<ContactId> = rows.iter().map(|row| row.contact_id).collect();
    let mut tags: HashMap<ContactId, Vec<Tag>> = by_contact(tags::list_of(tx, &ids).await?);
    let mut identities: HashMap<ContactId, Vec<Identity>> = by_contact(identities::list_of(tx, &ids).await?);
    let mut attributes: HashMap<ContactId, Vec<Attribute>> = by_contact(attributes::list_of(tx, &ids).await?);
    let whole = |row: ContactRow| {
        let id = row.contact_id;
        let (tags, identities) = (tags.remove(&id), identities.remove(&id));
        let attributes = attributes.remove(&id);
        row.with(tags.unwrap_or_default(), identities.unwrap_or_default(), attributes.unwrap_or_default())
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
