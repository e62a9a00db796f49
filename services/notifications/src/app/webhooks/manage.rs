//! An admin makes, reads, changes and deletes webhooks.

use std::collections::BTreeSet;

use audit::Event;
use db::Retry;
use kernel::PageSize;
use rpc::Call;

use super::lock;
use crate::app::App;
use crate::domain::webhook::{MOST_WEBHOOKS, Terms, Webhook, WebhookId, WebhookState};
use crate::domain::webhook_event::EventType;
use crate::domain::webhook_secret::{SECRET_BYTES, Secret, Secrets};
use crate::error::Error;
use crate::store::webhooks;

/// What page tokens of the list are sealed as.
const LIST: &str = "notifications.webhooks";

/// What changes of a webhook; `None` stays as it is.
#[derive(Debug, Default)]
pub struct Change {
    /// What is called.
    pub url: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What it is told.
    pub event_types: Option<BTreeSet<EventType>>,
    /// Whether it gets what notes say.
    pub include_private: Option<bool>,
    /// Whether it is called.
    pub enabled: Option<bool>,
}

impl Change {
    fn of(self, before: &Terms) -> (Terms, Option<bool>) {
        let terms = Terms {
            url: self.url.unwrap_or_else(|| before.url.clone()),
            description: self.description.unwrap_or_else(|| before.description.clone()),
            event_types: self.event_types.unwrap_or_else(|| before.event_types.clone()),
            include_private: self.include_private.unwrap_or(before.include_private),
        };
        (terms, self.enabled)
    }
}

/// A secret that nobody can guess.
pub(super) fn new_secret() -> Secret {
    Secret::of(rand::random::<[u8; SECRET_BYTES]>())
}

impl App {
    /// Makes a webhook. Its secret is in it.
    ///
    /// # Errors
    /// [`Error::BadUrl`], [`Error::TooManyWebhooks`], [`Error::Reused`], [`Error::Db`].
    pub async fn create_webhook(&self, call: &Call, retry: Retry, terms: Terms) -> Result<Webhook, Error> {
        self.egress.admit(&terms.url).map_err(Error::BadUrl)?;
        let (now, request_id) = (self.clock.now(), retry.request_id);
        let webhook = Webhook {
            webhook_id: self.clock.new_id().into(),
            version: 1,
            terms,
            state: WebhookState::Enabled,
            secrets: Secrets::new(new_secret()),
            failing_since: None,
            create_time: now,
            update_time: now,
        };
        let origin = runtime::origin(call).of_request(request_id);
        // The answer that is kept for retries is the id alone: a secret is in one place only.
        let write = self.db.write_once(&call.caller.org, retry, move |tx| {
            Box::pin(async move {
                if usize::try_from(webhooks::count(tx).await?).unwrap_or(usize::MAX) >= MOST_WEBHOOKS {
                    return Err(Error::TooManyWebhooks);
                }
                webhooks::insert(tx, &webhook).await?;
                audit::record(tx, &origin, &[Event::new("webhook.create", webhook.webhook_id)]).await?;
                Ok(webhook.webhook_id)
            })
        });
        let id = write.await.map_err(|error: Error| error.of_request(request_id))?;
        self.get_webhook(call, id).await
    }

    /// Reads one webhook.
    ///
    /// # Errors
    /// [`Error::NoSuchWebhook`], [`Error::Db`].
    pub async fn get_webhook(&self, call: &Call, id: WebhookId) -> Result<Webhook, Error> {
        let read = self.db.read(&call.caller.org, move |tx| Box::pin(webhooks::find(tx, id)));
        read.await?.ok_or(Error::NoSuchWebhook)
    }

    /// Lists webhooks, oldest first, and gives the token of the next page.
    ///
    /// # Errors
    /// [`Error::ForeignPageToken`], [`Error::Db`].
    pub async fn list_webhooks(
        &self,
        call: &Call,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<Webhook>, String), Error> {
        let org = &call.caller.org;
        let after = match token {
            "" => WebhookId::from_uuid(uuid::Uuid::nil()),
            token => {
                self.seal.open(LIST, org.as_str().as_bytes(), token).map_err(|_| Error::ForeignPageToken)?
            }
        };
        let read = self
            .db
            .read(org, move |tx| Box::pin(async move { webhooks::list(tx, after, size.and_one()).await }));
        let mut found = read.await?;
        let more = found.len() > size.get();
        found.truncate(size.get());
        let last = found.last().filter(|_| more);
        let next = last.map(|last| self.seal.seal(LIST, org.as_str().as_bytes(), &last.webhook_id));
        Ok((found, next.unwrap_or_default()))
    }

    /// Changes a webhook. What changes nothing leaves it as it is.
    ///
    /// # Errors
    /// [`Error::BadUrl`], [`Error::NoSuchWebhook`], [`Error::StaleVersion`], [`Error::Reused`], [`Error::Db`].
    pub async fn update_webhook(
        &self,
        call: &Call,
        retry: Retry,
        id: WebhookId,
        change: Change,
        expected: Option<i64>,
    ) -> Result<Webhook, Error> {
        if let Some(url) = &change.url {
            self.egress.admit(url).map_err(Error::BadUrl)?;
        }
        let (now, request_id) = (self.clock.now(), retry.request_id);
        let origin = runtime::origin(call).of_request(request_id);
        let write = self.db.write_once(&call.caller.org, retry, move |tx| {
            Box::pin(async move {
                let before = lock(tx, id, expected).await?;
                let (terms, enabled) = change.of(&before.terms);
                let version = before.version;
                let after = before.changed(terms, enabled, now);
                if after.version != version {
                    webhooks::update(tx, &after).await?;
                    audit::record(tx, &origin, &[Event::new("webhook.update", id)]).await?;
                }
                Ok(id)
            })
        });
        let id = write.await.map_err(|error: Error| error.of_request(request_id))?;
        self.get_webhook(call, id).await
    }

    /// Deletes a webhook. Deliveries that wait for it are skipped when they are due.
    ///
    /// # Errors
    /// [`Error::NoSuchWebhook`], [`Error::StaleVersion`], [`Error::Reused`], [`Error::Db`].
    pub async fn delete_webhook(
        &self,
        call: &Call,
        retry: Retry,
        id: WebhookId,
        expected: Option<i64>,
    ) -> Result<(), Error> {
        let request_id = retry.request_id;
        let origin = runtime::origin(call).of_request(request_id);
        let write = self.db.write_once(&call.caller.org, retry, move |tx| {
            Box::pin(async move {
                lock(tx, id, expected).await?;
                webhooks::delete(tx, id).await?;
                Ok(audit::record(tx, &origin, &[Event::new("webhook.delete", id)]).await?)
            })
        });
        write.await.map_err(|error: Error| error.of_request(request_id))
    }
}
