//! Tags are added and removed, and counted.

use audit::Origin;
use db::Tx;
use kernel::{ContactId, OrgId, PageSize, Timestamp};
use proto::notifications::v1::WebhookEventType;

use super::deeds::Deeds;
use super::{App, activity, index, survivor, whole};
use crate::Error;
use crate::domain::{Actor, Contact, Happened, TagChange, TagSteps};
use crate::store::tags::TagUse;
use crate::store::{contacts, tags};

const KIND: &str = "tags.list";

/// Which tags shall be there and which not.
#[derive(Debug, Clone)]
pub struct TagContact {
    /// Whose tags.
    pub contact_id: ContactId,
    /// The tags.
    pub change: TagChange,
    /// Who does it.
    pub by: Actor,
}

/// Which tags are asked for.
#[derive(Debug, Clone)]
pub struct ListTags {
    /// How many.
    pub page_size: PageSize,
    /// The token of the page before; empty for the first page.
    pub page_token: String,
}

/// Tags in use, by name.
#[derive(Debug, Clone)]
pub struct TagPage {
    /// The page.
    pub tags: Vec<TagUse>,
    /// Of the next page; empty at the end.
    pub next_page_token: String,
}

impl App {
    /// Adds and removes tags. What changes nothing leaves the version as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchContact`], [`Error::TooManyTags`].
    pub async fn tag_contact(&self, org: &OrgId, origin: Origin, tag: TagContact) -> Result<Contact, Error> {
        let now = self.clock.now();
        let deeds = self.deeds(origin);
        self.db.write(org, move |tx| Box::pin(change(tx, tag, now, deeds))).await
    }

    /// Lists the tags in use with their number of contacts, by name.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the page token is not of this list.
    pub async fn list_tags(&self, org: &OrgId, list: ListTags) -> Result<TagPage, Error> {
        let ListTags { page_size, page_token } = list;
        let binding = org.as_str().as_bytes();
        let after: String = match page_token.as_str() {
            "" => String::new(),
            token => self.seal.open(KIND, binding, token).map_err(|error| error.at("page_token"))?,
        };
        let page = self.db.read(org, move |tx| {
            Box::pin(async move { tags::list_uses(tx, &after, page_size.and_one()).await })
        });
        let mut tags = page.await.map_err(Error::Database)?;
        let more = tags.len() > page_size.get();
        tags.truncate(page_size.get());
        let last = tags.last().filter(|_| more);
        let next_page_token = last.map(|last| self.seal.seal(KIND, binding, &last.tag)).unwrap_or_default();
        Ok(TagPage { tags, next_page_token })
    }
}

async fn change(tx: &mut Tx, tag: TagContact, now: Timestamp, deeds: Deeds) -> Result<Contact, Error> {
    let row = survivor::lock(tx, tag.contact_id).await?;
    let id = row.contact_id;
    let contact = whole::one(tx, row).await?;
    let steps = tag.change.over(&contact.tags);
    if steps.is_nothing() {
        return Ok(contact);
    }
    if steps.leaves_too_many(&contact.tags) {
        return Err(Error::TooManyTags);
    }
    tags::insert(tx, id, &steps.added).await?;
    tags::remove(tx, id, &steps.removed).await?;
    contacts::touch(tx, id, now).await?;
    activity::keep(tx, id, now, &tag.by, happened(steps)).await?;
    deeds.record(tx, "contact.tag", WebhookEventType::ContactUpdated, id, now).await?;
    let contact = whole::get(tx, id).await?;
    index::follow(tx, &contact).await?;
    Ok(contact)
}

fn happened(steps: TagSteps) -> impl Iterator<Item = Happened> {
    let added = (!steps.added.is_empty()).then_some(Happened::Tagged(steps.added));
    let removed = (!steps.removed.is_empty()).then_some(Happened::Untagged(steps.removed));
    added.into_iter().chain(removed)
}
