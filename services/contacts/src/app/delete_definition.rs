//! A definition is deleted, with the values that contacts have of it if that is wanted (C4).
//!
//! Values may be many, so they go some hundred at a time, each with its own commit. The definition is archived before, so that none
//! comes after; whoever is cut off in between calls again.

use audit::{Event, Origin};
use db::Tx;
use kernel::{OrgId, Timestamp};
use proto::notifications::v1::WebhookEventType;

use super::App;
use super::definitions::locked;
use crate::Error;
use crate::domain::Key;
use crate::error::Used;
use crate::store::{attributes, contacts, definitions, search};

/// Values that go with one commit.
const AT_ONCE: i64 = 500;

/// Which definition goes, and how.
#[derive(Debug, Clone)]
pub struct DeleteDefinition {
    /// Which.
    pub key: Key,
    /// Whether its values go with it.
    pub with_values: bool,
    /// The version that was read; nothing: whatever it is now.
    pub version: Option<i64>,
}

impl App {
    /// Deletes a definition.
    ///
    /// # Errors
    /// [`Error::NoSuchDefinition`], [`Error::StaleVersion`], [`Error::InUse`] when contacts have values which shall not go with it.
    pub async fn delete_definition(
        &self,
        org: &OrgId,
        origin: Origin,
        delete: DeleteDefinition,
    ) -> Result<(), Error> {
        let DeleteDefinition { key, with_values, version } = delete;
        if with_values {
            let (values, now) = (key.clone(), self.clock.now());
            let (of, by) = (values.clone(), origin.clone());
            let archived = self
                .db
                .write(org, move |tx| Box::pin(async move { archive(tx, &of, version, now, &by).await }));
            archived.await?;
            while self.delete_some_values(org, origin.clone(), values.clone()).await? {}
        }
        let deleted = self.db.write(org, move |tx| {
            Box::pin(async move {
                locked(tx, &key, version).await?;
                if !attributes::list_owners(tx, &key, 1).await?.is_empty() {
                    return Err(Error::InUse(Used::Definition));
                }
                definitions::delete(tx, &key).await?;
                let event = Event::new("attribute.delete", key.as_str());
                audit::record(tx, &origin, &[event]).await.map_err(Error::from)
            })
        });
        deleted.await
    }

    /// Deletes values of a definition; tells whether there may be more.
    async fn delete_some_values(&self, org: &OrgId, origin: Origin, key: Key) -> Result<bool, Error> {
        let (now, deeds) = (self.clock.now(), self.deeds(origin));
        let deleted = self.db.write(org, move |tx| {
            Box::pin(async move {
                let owners = attributes::list_owners(tx, &key, AT_ONCE).await?;
                contacts::touch_all(tx, &owners, now).await?;
                attributes::clear_of(tx, &key, &owners).await?;
                search::remove_attribute(tx, &key, &owners).await?;
                audit::record(tx, &deeds.origin, &Event::each("contact.clear_attribute", &owners)).await?;
                deeds.announce(tx, WebhookEventType::ContactUpdated, &owners, now).await?;
                Ok::<_, Error>(!owners.is_empty())
            })
        });
        deleted.await
    }
}

/// Lets no more values come. The etag stays, so that the same call can be made again.
async fn archive(
    tx: &mut Tx,
    key: &Key,
    version: Option<i64>,
    now: Timestamp,
    origin: &Origin,
) -> Result<(), Error> {
    let mut definition = locked(tx, key, version).await?;
    if !definition.archived {
        (definition.archived, definition.update_time) = (true, now);
        definitions::update(tx, &definition).await?;
        audit::record(tx, origin, &[Event::new("attribute.update", key.as_str())]).await?;
    }
    Ok(())
}
