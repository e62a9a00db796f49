//! Contacts who may be one person are suggested (C6).
//!
//! Every contact's keys are stored with it. Whoever gets a key is paired with the newest contacts that have it, and pairs are what is
//! listed: no list looks at contacts that share nothing. A pair goes when its key does, when one of the two does, or when it is dismissed.

use std::collections::{BTreeSet, HashMap};

use audit::{Event, Origin};
use db::{DbError, Tx};
use kernel::page::MOST_BYTES;
use kernel::{ContactId, OrgId, PageSize};
use uuid::Uuid;

use super::{App, survivor, whole};
use crate::Error;
use crate::domain::{Contact, DuplicateKey, DuplicateReason, duplicate_keys};
use crate::store::contacts;
use crate::store::duplicates::{self, Pair};

const KIND: &str = "duplicates.list";

/// Contacts that one is paired with for a key. Many more share it only by accident, such as a shared mailbox, and then pairs of all with
/// all would help nobody.
pub(super) const MOST_PAIRED: i64 = 20;

/// Pairs put together at once.
const STEP: usize = 16;

/// Which pairs are asked for.
#[derive(Debug, Clone)]
pub struct ListDuplicates {
    /// Only those with this contact.
    pub contact_id: Option<ContactId>,
    /// How many.
    pub page_size: PageSize,
    /// The token of the page before; empty for the first page.
    pub page_token: String,
}

/// Two contacts who may be one person.
#[derive(Debug, Clone)]
pub struct Duplicates {
    /// The contact that was made first.
    pub contact: Contact,
    /// The other.
    pub other: Contact,
    /// Why.
    pub reasons: Vec<DuplicateReason>,
}

/// Pairs, newest contacts first.
#[derive(Debug, Clone)]
pub struct DuplicatePage {
    /// The page.
    pub pairs: Vec<Duplicates>,
    /// Of the next page; empty at the end.
    pub next_page_token: String,
}

/// Stores what a new contact may share with others.
pub(super) async fn add(tx: &mut Tx, contact: &Contact) -> Result<(), DbError> {
    let keys: Vec<DuplicateKey> = duplicate_keys(contact).into_iter().collect();
    come(tx, contact.contact_id, &keys).await
}

/// Stores what a changed contact may share with others, where it is another than before. For the holder of the contact's lock.
pub(super) async fn follow(tx: &mut Tx, contact: &Contact) -> Result<(), DbError> {
    let id = contact.contact_id;
    let old: BTreeSet<DuplicateKey> = duplicates::list_of(tx, id).await?.into_iter().collect();
    let new = duplicate_keys(contact);
    let gone: Vec<DuplicateKey> = old.difference(&new).cloned().collect();
    let came: Vec<DuplicateKey> = new.difference(&old).cloned().collect();
    duplicates::remove(tx, id, &gone).await?;
    duplicates::remove_pairs(tx, id, &gone).await?;
    come(tx, id, &came).await
}

async fn come(tx: &mut Tx, id: ContactId, keys: &[DuplicateKey]) -> Result<(), DbError> {
    duplicates::hold(tx, keys).await?;
    duplicates::insert(tx, id, keys).await?;
    let holders = duplicates::list_holders(tx, id, keys, MOST_PAIRED).await?;
    let mut pairs: Vec<(Pair, DuplicateKey)> =
        holders.iter().map(|holder| (Pair::of(id, holder.contact_id), holder.key())).collect();
    let asked: Vec<Pair> = pairs.iter().map(|(pair, _)| *pair).collect();
    let dismissed = duplicates::list_dismissed(tx, &asked).await?;
    pairs.retain(|(pair, _)| !dismissed.contains(pair));
    duplicates::insert_pairs(tx, &pairs).await
}

impl App {
    /// Lists pairs of contacts who may be one person.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the page token is not of this list.
    pub async fn list_duplicates(&self, org: &OrgId, list: ListDuplicates) -> Result<DuplicatePage, Error> {
        let ListDuplicates { contact_id, page_size, page_token } = list;
        let contact = contact_id.map(|id| id.to_string()).unwrap_or_default();
        let binding = format!("{org}\n{contact}");
        // No id is greater.
        let last = ContactId::from_uuid(Uuid::max());
        let (other_contact_id, contact_id_after): (ContactId, ContactId) = match page_token.as_str() {
            "" => (last, last),
            token => {
                self.seal.open(KIND, binding.as_bytes(), token).map_err(|error| error.at("page_token"))?
            }
        };
        let after = Pair { contact_id: contact_id_after, other_contact_id };
        let page = self.db.read(org, move |tx| Box::pin(page(tx, contact_id, after, page_size)));
        let (pairs, last) = page.await?;
        let last = last.map(|pair| (pair.other_contact_id, pair.contact_id));
        let token = last.map(|last| self.seal.seal(KIND, binding.as_bytes(), &last));
        Ok(DuplicatePage { pairs, next_page_token: token.unwrap_or_default() })
    }

    /// Suggests two contacts no more.
    ///
    /// # Errors
    /// [`Error::OneContact`], [`Error::NoSuchContact`].
    pub async fn dismiss_duplicate(
        &self,
        org: &OrgId,
        origin: Origin,
        one: ContactId,
        other: ContactId,
    ) -> Result<(), Error> {
        let dismissed = self.db.write(org, move |tx| {
            Box::pin(async move {
                let pair = held(tx, one, other).await?;
                if !duplicates::dismiss(tx, pair).await? {
                    return Ok(());
                }
                duplicates::delete_pair(tx, pair).await?;
                record(tx, &origin, "contact.dismiss_duplicate", pair).await
            })
        });
        dismissed.await
    }

    /// Suggests two contacts again, if they share something.
    ///
    /// # Errors
    /// [`Error::OneContact`], [`Error::NoSuchContact`].
    pub async fn restore_duplicate(
        &self,
        org: &OrgId,
        origin: Origin,
        one: ContactId,
        other: ContactId,
    ) -> Result<(), Error> {
        let restored = self.db.write(org, move |tx| {
            Box::pin(async move {
                let pair = held(tx, one, other).await?;
                if !duplicates::restore(tx, pair).await? {
                    return Ok(());
                }
                let keys = duplicates::list_shared(tx, pair).await?;
                let pairs: Vec<(Pair, DuplicateKey)> = keys.into_iter().map(|key| (pair, key)).collect();
                duplicates::insert_pairs(tx, &pairs).await?;
                record(tx, &origin, "contact.restore_duplicate", pair).await
            })
        });
        restored.await
    }
}

/// The pair of these two, whose keys stay as they are until the transaction ends.
async fn held(tx: &mut Tx, one: ContactId, other: ContactId) -> Result<Pair, Error> {
    let named = survivor::each(tx, vec![one, other]).await?;
    let [one, other] = named.as_slice() else { return Err(Error::NoSuchContact) };
    let pair = Pair::of(*one, *other);
    if pair.contact_id == pair.other_contact_id {
        return Err(Error::OneContact("other_contact_id"));
    }
    for id in [pair.contact_id, pair.other_contact_id] {
        contacts::lock(tx, id).await?.ok_or(Error::NoSuchContact)?;
    }
    Ok(pair)
}

async fn record(tx: &mut Tx, origin: &Origin, action: &'static str, pair: Pair) -> Result<(), Error> {
    let events = Event::each(action, [pair.contact_id, pair.other_contact_id]);
    Ok(audit::record(tx, origin, &events).await?)
}

/// The pairs behind one that fit on a page, at least one, and the last of them, if there are more.
async fn page(
    tx: &mut Tx,
    contact: Option<ContactId>,
    after: Pair,
    size: PageSize,
) -> Result<(Vec<Duplicates>, Option<Pair>), Error> {
    let mut pairs = match contact {
        Some(contact) => {
            let contact = survivor::find(tx, contact).await?.unwrap_or(contact);
            duplicates::list_with(tx, contact, after, size.and_one()).await?
        }
        None => duplicates::list(tx, after, size.and_one()).await?,
    };
    let found = pairs.len();
    pairs.truncate(size.get());
    let (mut page, mut bytes, mut last) = (Vec::with_capacity(pairs.len()), 0, None);
    for step in pairs.chunks(STEP) {
        let whole = together(tx, step).await?;
        for (pair, duplicates) in step.iter().zip(whole) {
            bytes += duplicates.contact.weight() + duplicates.other.weight();
            if bytes > MOST_BYTES && !page.is_empty() {
                return Ok((page, last));
            }
            page.push(duplicates);
            last = Some(*pair);
        }
    }
    let more = found > page.len();
    Ok((page, last.filter(|_| more)))
}

/// These pairs with their contacts and reasons.
async fn together(tx: &mut Tx, pairs: &[Pair]) -> Result<Vec<Duplicates>, Error> {
    let ids: BTreeSet<ContactId> =
        pairs.iter().flat_map(|pair| [pair.contact_id, pair.other_contact_id]).collect();
    let contacts = whole::by_id(tx, &ids.into_iter().collect::<Vec<_>>()).await?;
    let mut reasons: HashMap<Pair, Vec<DuplicateReason>> = HashMap::new();
    for (pair, reason) in duplicates::list_reasons(tx, pairs).await? {
        reasons.entry(pair).or_default().push(reason);
    }
    let contact = |id| contacts.get(&id).cloned().ok_or(Error::NoSuchContact);
    let whole = |pair: &Pair| {
        let reasons = reasons.get(pair).cloned().unwrap_or_default();
        let (contact, other) = (contact(pair.contact_id)?, contact(pair.other_contact_id)?);
        Ok(Duplicates { contact, other, reasons })
    };
    pairs.iter().map(whole).collect()
}
