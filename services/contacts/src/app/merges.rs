//! Merges are read and listed (C6).

use kernel::{ContactId, MergeId, OrgId, PageSize};
use uuid::Uuid;

use super::App;
use crate::Error;
use crate::domain::{Merge, Snapshot};
use crate::store::merges;

const KIND: &str = "merges.list";

/// Which merges are asked for.
#[derive(Debug, Clone)]
pub struct ListMerges {
    /// Only those in which this contact went or stayed.
    pub contact_id: Option<ContactId>,
    /// How many.
    pub page_size: PageSize,
    /// The token of the page before; empty for the first page.
    pub page_token: String,
}

/// Merges, newest first.
#[derive(Debug, Clone)]
pub struct MergePage {
    /// The page.
    pub merges: Vec<Merge>,
    /// Of the next page; empty at the end.
    pub next_page_token: String,
}

impl App {
    /// Reads a merge, with both contacts as they were before.
    ///
    /// # Errors
    /// [`Error::NoSuchMerge`].
    pub async fn get_merge(&self, org: &OrgId, id: MergeId) -> Result<(Merge, Snapshot), Error> {
        let read = self.db.read(org, move |tx| {
            Box::pin(async move {
                let merge = merges::find(tx, id).await?.ok_or(Error::NoSuchMerge)?;
                Ok::<_, Error>((merge, merges::get_snapshot(tx, id).await?))
            })
        });
        read.await
    }

    /// Lists merges, newest first.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the page token is not of this list.
    pub async fn list_merges(&self, org: &OrgId, list: ListMerges) -> Result<MergePage, Error> {
        let ListMerges { contact_id, page_size, page_token } = list;
        let contact = contact_id.map(|id| id.to_string()).unwrap_or_default();
        let binding = format!("{org}\n{contact}");
        let before = match page_token.as_str() {
            // No id is greater.
            "" => MergeId::from_uuid(Uuid::max()),
            token => {
                self.seal.open(KIND, binding.as_bytes(), token).map_err(|error| error.at("page_token"))?
            }
        };
        let page = self.db.read(org, move |tx| {
            Box::pin(async move {
                match contact_id {
                    Some(contact) => merges::list_of(tx, contact, before, page_size.and_one()).await,
                    None => merges::list(tx, before, page_size.and_one()).await,
                }
            })
        });
        let mut merges = page.await.map_err(Error::Database)?;
        let more = merges.len() > page_size.get();
        merges.truncate(page_size.get());
        let last = merges.last().filter(|_| more);
        let token = last.map(|last| self.seal.seal(KIND, binding.as_bytes(), &last.merge_id));
        Ok(MergePage { merges, next_page_token: token.unwrap_or_default() })
    }
}
