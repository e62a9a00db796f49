//! A webhook is called on trial.

use std::time::Duration;

use audit::Event;
use db::DbError;
use rpc::Call;
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::call::body;
use crate::app::App;
use crate::domain::webhook::WebhookId;
use crate::domain::webhook_call::Answered;
use crate::error::Error;

/// The name of the event that a trial sends.
pub const PING: &str = "webhook.ping";

/// What is left of the call's time for its answer.
const REST: Duration = Duration::from_millis(250);

impl App {
    /// Calls a webhook at once, and tells what it answered and how long it took. One that failed and answers well is well again.
    ///
    /// # Errors
    /// [`Error::NoSuchWebhook`], [`Error::Db`].
    pub async fn test_webhook(&self, call: &Call, id: WebhookId) -> Result<(Answered, Duration), Error> {
        let webhook = self.get_webhook(call, id).await?;
        let org = &call.caller.org;
        let origin = runtime::origin(call);
        let write = self.db.write(org, move |tx| {
            Box::pin(async move {
                audit::record(tx, &origin, &[Event::new("webhook.test", id)]).await?;
                Ok::<_, DbError>(())
            })
        });
        write.await?;
        let data = json!({ "webhook_id": id.to_string() }).to_string();
        let body = body(PING, self.clock.now(), &data, None).unwrap_or_default();
        let began = Instant::now();
        let message = self.clock.new_id().to_string();
        let patience = call.remaining().saturating_sub(REST);
        let called = timeout(patience, self.call_webhook(&webhook, &message, body));
        let answered = called.await.unwrap_or(Answered::Nothing("no answer in time"));
        if answered.accepted() {
            self.note_webhook_well(org, &webhook).await?;
        }
        Ok((answered, began.elapsed()))
    }
}
