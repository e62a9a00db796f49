//! Contacts are listed.

use kernel::{ContactId, OrgId, PageSize};
use uuid::Uuid;

use super::{App, whole};
use crate::Error;
use crate::domain::{Contact, Tag};
use crate::store::walk::{self, Among, Way};

const KIND: &str = "contacts.list";

/// Which contacts are asked for.
#[derive(Debug, Clone)]
pub struct ListContacts {
    /// Only those which carry it.
    pub tag: Option<Tag>,
    /// How many.
    pub page_size: PageSize,
    /// The token of the page before; empty for the first page.
    pub page_token: String,
}

/// Contacts, newest first.
#[derive(Debug, Clone)]
pub struct ContactPage {
    /// The page.
    pub contacts: Vec<Contact>,
    /// Of the next page; empty at the end.
    pub next_page_token: String,
}

impl App {
    /// Lists contacts, newest first.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the page token is not of this list.
    pub async fn list_contacts(&self, org: &OrgId, list: ListContacts) -> Result<ContactPage, Error> {
        let ListContacts { tag, page_size, page_token } = list;
        let binding = format!("{org}\n{}", tag.as_ref().map_or("", Tag::as_str));
        let before = match page_token.as_str() {
            // No id is greater.
            "" => ContactId::from_uuid(Uuid::max()),
            token => {
                self.seal.open(KIND, binding.as_bytes(), token).map_err(|error| error.at("page_token"))?
            }
        };
        let page = self.db.read(org, move |tx| {
            Box::pin(async move {
                let among = Among { tag: tag.as_ref(), ..Among::default() };
                let rows = walk::list(tx, among, Way::Back(before), page_size.and_one()).await?;
                whole::page(tx, rows, page_size).await.map_err(Error::from)
            })
        });
        let (contacts, last) = page.await?;
        let next_page_token =
            last.map(|last| self.seal.seal(KIND, binding.as_bytes(), &last)).unwrap_or_default();
        Ok(ContactPage { contacts, next_page_token })
    }
}
