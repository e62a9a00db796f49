//! A webhook gets another secret; the one before counts for a day more.

use audit::Event;
use db::Retry;
use rpc::Call;

use super::lock;
use super::manage::new_secret;
use crate::app::App;
use crate::domain::webhook::{Webhook, WebhookId};
use crate::error::Error;
use crate::store::webhooks;

impl App {
    /// Gives a webhook another secret, which is in the answer.
    ///
    /// # Errors
    /// [`Error::NoSuchWebhook`], [`Error::StaleVersion`], [`Error::Reused`], [`Error::Db`].
    pub async fn rotate_webhook_secret(
        &self,
        call: &Call,
        retry: Retry,
        id: WebhookId,
        expected: Option<i64>,
    ) -> Result<Webhook, Error> {
        let (now, request_id) = (self.clock.now(), retry.request_id);
        let origin = runtime::origin(call).of_request(request_id);
        let write = self.db.write_once(&call.caller.org, retry, move |tx| {
            Box::pin(async move {
                let rotated = lock(tx, id, expected).await?.rotated(new_secret(), now);
                webhooks::update(tx, &rotated).await?;
                audit::record(tx, &origin, &[Event::new("webhook.rotate_secret", id)]).await?;
                Ok(id)
            })
        });
        let id = write.await.map_err(|error: Error| error.of_request(request_id))?;
        self.get_webhook(call, id).await
    }
}
