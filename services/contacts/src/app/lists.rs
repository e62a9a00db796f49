//! Lists are made, read, changed and deleted (C3).

use audit::{Event, Origin};
use db::{Retry, Tx};
use kernel::{ContactId, OrgId, PageSize, Timestamp};
use uuid::Uuid;

use super::{App, survivor};
use crate::Error;
use crate::domain::{ContactList, Line, ListChange, ListId, ListName, MOST_LISTS};
use crate::store::{contacts, lists};

const ALL: &str = "lists.list";
const OF_CONTACT: &str = "lists.of_contact";

/// What a new list shall be.
#[derive(Debug, Clone)]
pub struct CreateList {
    /// What to call it.
    pub display_name: ListName,
    /// What it is for.
    pub description: Line,
    /// The request, for its retries.
    pub retry: Retry,
}

/// What shall become of a list.
#[derive(Debug, Clone)]
pub struct UpdateList {
    /// Which.
    pub list_id: ListId,
    /// The change.
    pub change: ListChange,
    /// The version that was read; nothing: whatever it is now.
    pub version: Option<i64>,
    /// The request, for its retries.
    pub retry: Retry,
}

/// Lists, newest first.
#[derive(Debug, Clone)]
pub struct ListPage {
    /// The page.
    pub lists: Vec<ContactList>,
    /// Of the next page; empty at the end.
    pub next_page_token: String,
}

impl App {
    /// Makes a list.
    ///
    /// # Errors
    /// [`Error::Taken`] when another list has the name, [`Error::TooManyLists`], [`Error::RequestIdReused`].
    pub async fn create_list(
        &self,
        org: &OrgId,
        origin: Origin,
        create: CreateList,
    ) -> Result<ContactList, Error> {
        let now = self.clock.now();
        let list = ContactList {
            list_id: self.clock.new_id().into(),
            version: 1,
            display_name: create.display_name,
            description: create.description,
            member_count: 0,
            create_time: now,
            update_time: now,
        };
        let (retry, request_id) = (create.retry.clone(), create.retry.request_id);
        let origin = origin.of_request(request_id);
        let created = self.db.write_once(org, retry, move |tx| Box::pin(insert(tx, list, origin)));
        created.await.map_err(|error: Error| error.of_request(request_id))
    }

    /// Reads a list.
    ///
    /// # Errors
    /// [`Error::NoSuchList`].
    pub async fn get_list(&self, org: &OrgId, id: ListId) -> Result<ContactList, Error> {
        let found = self.db.read(org, move |tx| Box::pin(lists::find(tx, id)));
        found.await.map_err(Error::Database)?.ok_or(Error::NoSuchList)
    }

    /// Lists the lists, newest first.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the page token is not of this list.
    pub async fn list_lists(&self, org: &OrgId, size: PageSize, token: &str) -> Result<ListPage, Error> {
        let binding = org.to_string();
        let before = self.list_before(ALL, &binding, token)?;
        let page = self
            .db
            .read(org, move |tx| Box::pin(async move { lists::list(tx, before, size.and_one()).await }));
        Ok(self.list_page(ALL, &binding, size, page.await.map_err(Error::Database)?))
    }

    /// Lists the lists on which a contact is, newest list first.
    ///
    /// # Errors
    /// [`Error::NoSuchContact`]; [`Error::Malformed`] when the page token is not of this list.
    pub async fn list_contact_lists(
        &self,
        org: &OrgId,
        contact: ContactId,
        size: PageSize,
        token: &str,
    ) -> Result<ListPage, Error> {
        let binding = format!("{org}\n{contact}");
        let before = self.list_before(OF_CONTACT, &binding, token)?;
        let page = self.db.read(org, move |tx| {
            Box::pin(async move {
                let contact = survivor::find(tx, contact).await?.unwrap_or(contact);
                contacts::find(tx, contact).await?.ok_or(Error::NoSuchContact)?;
                Ok::<_, Error>(lists::list_of(tx, contact, before, size.and_one()).await?)
            })
        });
        Ok(self.list_page(OF_CONTACT, &binding, size, page.await?))
    }

    /// Changes a list's name or description. What changes nothing leaves the version as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchList`], [`Error::StaleVersion`], [`Error::Taken`], [`Error::RequestIdReused`].
    pub async fn update_list(
        &self,
        org: &OrgId,
        origin: Origin,
        update: UpdateList,
    ) -> Result<ContactList, Error> {
        let now = self.clock.now();
        let (retry, request_id) = (update.retry.clone(), update.retry.request_id);
        let origin = origin.of_request(request_id);
        let updated = self.db.write_once(org, retry, move |tx| Box::pin(change(tx, update, now, origin)));
        updated.await.map_err(|error: Error| error.of_request(request_id))
    }

    /// Deletes a list.
    ///
    /// # Errors
    /// [`Error::NoSuchList`], [`Error::StaleVersion`].
    pub async fn delete_list(
        &self,
        org: &OrgId,
        origin: Origin,
        id: ListId,
        version: Option<i64>,
    ) -> Result<(), Error> {
        let deleted = self.db.write(org, move |tx| {
            Box::pin(async move {
                locked(tx, id, version).await?;
                lists::delete(tx, id).await?;
                audit::record(tx, &origin, &[Event::new("list.delete", id)]).await.map_err(Error::from)
            })
        });
        deleted.await
    }

    fn list_before(&self, kind: &str, binding: &str, token: &str) -> Result<ListId, Error> {
        match token {
            // No id is greater.
            "" => Ok(ListId::from_uuid(Uuid::max())),
            token => {
                Ok(self.seal.open(kind, binding.as_bytes(), token).map_err(|error| error.at("page_token"))?)
            }
        }
    }

    fn list_page(&self, kind: &str, binding: &str, size: PageSize, mut lists: Vec<ContactList>) -> ListPage {
        let more = lists.len() > size.get();
        lists.truncate(size.get());
        let last = lists.last().filter(|_| more);
        let token = last.map(|last| self.seal.seal(kind, binding.as_bytes(), &last.list_id));
        ListPage { lists, next_page_token: token.unwrap_or_default() }
    }
}

async fn insert(tx: &mut Tx, list: ContactList, origin: Origin) -> Result<ContactList, Error> {
    // Calls at the same moment may go beyond it by as many as they are; it is there to keep lists few, not to count them.
    if lists::count_all(tx).await? >= MOST_LISTS {
        return Err(Error::TooManyLists);
    }
    lists::insert(tx, &list).await?;
    audit::record(tx, &origin, &[Event::new("list.create", list.list_id)]).await?;
    Ok(list)
}

/// The list of this id and version, kept as it is until the transaction ends.
async fn locked(tx: &mut Tx, id: ListId, version: Option<i64>) -> Result<ContactList, Error> {
    let list = lists::lock(tx, id).await?.ok_or(Error::NoSuchList)?;
    if version.is_some_and(|version| version != list.version) {
        return Err(Error::StaleVersion { current: list.version });
    }
    Ok(list)
}

async fn change(
    tx: &mut Tx,
    update: UpdateList,
    now: Timestamp,
    origin: Origin,
) -> Result<ContactList, Error> {
    let old = locked(tx, update.list_id, update.version).await?;
    let mut new = update.change.over(&old);
    if new == old {
        return Ok(old);
    }
    (new.version, new.update_time) = (old.version + 1, now);
    lists::update(tx, &new).await?;
    audit::record(tx, &origin, &[Event::new("list.update", new.list_id)]).await?;
    Ok(new)
}
