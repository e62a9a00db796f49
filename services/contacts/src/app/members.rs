//! Contacts are put on lists and taken off, and listed there (C3).

use std::collections::BTreeSet;

use audit::{Event, Origin};
use db::{DbError, Tx};
use kernel::{ContactId, OrgId, PageSize};
use uuid::Uuid;

use super::{App, ContactPage, survivor, whole};
use crate::Error;
use crate::domain::{ContactList, ListId};
use crate::store::walk::{self, Among, Way};
use crate::store::{contacts, lists, members};

const KIND: &str = "lists.members";

/// How often to try to put contacts on a list. Each round ends because one of them was merged, or parted, at that very moment.
const ROUNDS: usize = 5;

/// Which members are asked for.
#[derive(Debug, Clone)]
pub struct ListMembers {
    /// Of which list.
    pub list_id: ListId,
    /// How many.
    pub page_size: PageSize,
    /// The token of the page before; empty for the first page.
    pub page_token: String,
}

impl App {
    /// Puts contacts on a list, all or none; who is there stays.
    ///
    /// # Errors
    /// [`Error::NoSuchList`], [`Error::NoSuchContacts`].
    pub async fn add_list_members(
        &self,
        org: &OrgId,
        origin: Origin,
        list: ListId,
        contacts: Vec<ContactId>,
    ) -> Result<ContactList, Error> {
        for _ in 0..ROUNDS {
            let (asked, origin) = (contacts.clone(), origin.clone());
            match self.db.write(org, move |tx| Box::pin(add(tx, list, asked, origin))).await {
                Err(Error::NoSuchContact) => {}
                done => return done,
            }
            let asked = contacts.clone();
            let fields = self.db.read(org, move |tx| Box::pin(absent(tx, asked))).await?;
            if !fields.is_empty() {
                return Err(Error::NoSuchContacts { fields });
            }
        }
        Err(Error::Database(DbError::Busy))
    }

    /// Takes contacts off a list; who is not there does not matter.
    ///
    /// # Errors
    /// [`Error::NoSuchList`].
    pub async fn remove_list_members(
        &self,
        org: &OrgId,
        origin: Origin,
        list: ListId,
        contacts: Vec<ContactId>,
    ) -> Result<ContactList, Error> {
        self.db.write(org, move |tx| Box::pin(remove(tx, list, contacts, origin))).await
    }

    /// Lists the contacts on a list, newest first.
    ///
    /// # Errors
    /// [`Error::NoSuchList`]; [`Error::Malformed`] when the page token is not of this list.
    pub async fn list_members(&self, org: &OrgId, list: ListMembers) -> Result<ContactPage, Error> {
        let ListMembers { list_id, page_size, page_token } = list;
        let binding = format!("{org}\n{list_id}");
        let before = match page_token.as_str() {
            // No id is greater.
            "" => ContactId::from_uuid(Uuid::max()),
            token => {
                self.seal.open(KIND, binding.as_bytes(), token).map_err(|error| error.at("page_token"))?
            }
        };
        let page = self.db.read(org, move |tx| {
            Box::pin(async move {
                lists::find(tx, list_id).await?.ok_or(Error::NoSuchList)?;
                let among = Among { list: Some(list_id), ..Among::default() };
                let rows = walk::list(tx, among, Way::Back(before), page_size.and_one()).await?;
                whole::page(tx, rows, page_size).await.map_err(Error::from)
            })
        });
        let (contacts, last) = page.await?;
        let next_page_token = last.map(|last| self.seal.seal(KIND, binding.as_bytes(), &last));
        Ok(ContactPage { contacts, next_page_token: next_page_token.unwrap_or_default() })
    }
}

async fn add(
    tx: &mut Tx,
    id: ListId,
    contacts: Vec<ContactId>,
    origin: Origin,
) -> Result<ContactList, Error> {
    let list = lists::lock(tx, id).await?.ok_or(Error::NoSuchList)?;
    // The list is there and stays: what is missing is a contact.
    let contacts = sorted(survivor::each(tx, contacts).await?);
    let came = members::insert(tx, id, &contacts).await.map_err(|error| match error {
        DbError::ForeignKey => Error::NoSuchContact,
        error => Error::from(error),
    })?;
    counted(tx, list, came, &origin, "list.add_members").await
}

/// The fields that name contacts which are not there, after the database has refused to put them on a list without saying so. None: one
/// that was not there a moment ago is there now, or somebody stands for it.
async fn absent(tx: &mut Tx, asked: Vec<ContactId>) -> Result<Vec<String>, Error> {
    let meant = survivor::each(tx, asked).await?;
    let there: BTreeSet<ContactId> = contacts::which(tx, &sorted(meant.clone())).await?.into_iter().collect();
    let missing = meant.iter().enumerate().filter(|(_, id)| !there.contains(id));
    Ok(missing.map(|(index, _)| format!("contact_ids[{index}]")).collect())
}

async fn remove(
    tx: &mut Tx,
    id: ListId,
    contacts: Vec<ContactId>,
    origin: Origin,
) -> Result<ContactList, Error> {
    let list = lists::lock(tx, id).await?.ok_or(Error::NoSuchList)?;
    let contacts = sorted(survivor::each(tx, contacts).await?);
    let went = members::remove(tx, id, &contacts).await?;
    counted(tx, list, -went, &origin, "list.remove_members").await
}

/// Each once, in one order: whoever locks several rows does it in the same order as everybody else.
fn sorted(mut contacts: Vec<ContactId>) -> Vec<ContactId> {
    contacts.sort_unstable();
    contacts.dedup();
    contacts
}

async fn counted(
    tx: &mut Tx,
    mut list: ContactList,
    more: i64,
    origin: &Origin,
    action: &'static str,
) -> Result<ContactList, Error> {
    if more != 0 {
        lists::count(tx, list.list_id, more).await?;
        audit::record(tx, origin, &[Event::new(action, list.list_id)]).await?;
        list.member_count += more;
    }
    Ok(list)
}
