//! A page of a feed, newest first.

use kernel::PageSize;

use super::{App, Owner};
use crate::domain::{Filter, Notification, Sequence};
use crate::error::Error;
use crate::store::list;

const TOKEN: &str = "notifications.list";

/// Which page.
#[derive(Debug, Clone)]
pub struct List {
    /// Whose.
    pub owner: Owner,
    /// Of which entries.
    pub filter: Filter,
    /// How many.
    pub size: PageSize,
    /// Token of the page before; empty for the first.
    pub page_token: String,
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Its entries.
    pub notifications: Vec<Notification>,
    /// Token of the next page; empty at the end.
    pub next_page_token: String,
}

impl App {
    /// Lists a person's entries.
    ///
    /// # Errors
    /// [`Error::ForeignPageToken`], [`Error::Db`].
    pub async fn list(&self, List { owner, filter, size, page_token }: List) -> Result<Page, Error> {
        let binding = owner.binding(&filter.fingerprint());
        let before = match page_token.as_str() {
            "" => Sequence::END,
            token => self.seal.open(TOKEN, &binding, token).map_err(|_| Error::ForeignPageToken)?,
        };
        let Owner { org, subject } = owner;
        let read = self.db.read(&org, move |tx| {
            Box::pin(async move {
                let now = tx.now().await?;
                list::before(tx, &subject, &filter, before, size.and_one(), now).await.map_err(Error::from)
            })
        });
        let mut notifications = read.await?;
        let more = notifications.len() > size.get();
        notifications.truncate(size.get());
        let last = notifications.last().filter(|_| more);
        let next_page_token =
            last.map(|last| self.seal.seal(TOKEN, &binding, &last.sequence)).unwrap_or_default();
        Ok(Page { notifications, next_page_token })
    }
}
