//! A delivery to a webhook is carried: read what it is about, call, and note what the answer means for the webhook.

use std::sync::Arc;
use std::time::Duration;

use audit::{Event, Origin};
use db::{BoxFuture, DbError};
use kernel::{OrgId, Timestamp};

use super::Carried;
use super::call::body;
use crate::NAME;
use crate::app::App;
use crate::app::deliver::Carrier;
use crate::domain::delivery::{Job, Outcome, Why};
use crate::domain::webhook::{Webhook, WebhookId, WebhookState};
use crate::domain::webhook_call::{Answered, Failing, weigh};
use crate::store::webhook_events::Kept;
use crate::store::webhooks::Ended;
use crate::store::{webhook_events, webhooks};

/// Carries deliveries to webhooks.
#[derive(Debug, Clone)]
pub struct WebhookCarrier {
    app: Arc<App>,
    patience: Duration,
}

impl WebhookCarrier {
    /// A webhook that failed for so long is disabled.
    pub fn new(app: Arc<App>, patience: Duration) -> Self {
        Self { app, patience }
    }
}

impl Carrier for WebhookCarrier {
    fn carry(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let carried = job.body.read::<Carried>();
            let id = WebhookId::parse(&job.destination);
            match (carried, id) {
                (Ok(carried), Ok(id)) => self.carry_event(&job.org, id, carried).await,
                (Err(malformed), _) | (_, Err(malformed)) => Outcome::unreadable(&malformed),
            }
        })
    }
}

impl WebhookCarrier {
    async fn carry_event(&self, org: &OrgId, id: WebhookId, Carried { event_id }: Carried) -> Outcome {
        let read = self.app.db.read(org, move |tx| {
            Box::pin(async move {
                let webhook = webhooks::find(tx, id).await?;
                let event = webhook_events::find(tx, event_id).await?;
                Ok::<_, DbError>((webhook, event))
            })
        });
        let (webhook, event) = match read.await {
            Ok(found) => found,
            Err(error) => return unread(&error),
        };
        let Some(webhook) = webhook else { return Outcome::Skipped("the webhook was deleted".into()) };
        if let Some(why) = not_called(&webhook) {
            return Outcome::Skipped(why.into());
        }
        let Some(event) = event else { return Outcome::Skipped("the event is kept no longer".into()) };
        let Some(body) = body_for(&webhook, &event) else {
            return Outcome::Refused("the event cannot be read".into());
        };
        let answered = self.app.call_webhook(&webhook, &event_id.to_string(), body).await;
        let now = self.app.clock.now();
        if let Err(error) = self.note(org, &webhook, answered, now).await {
            // The call was made, and its outcome counts; the next one notes what this one could not.
            tracing::warn!(%error, "what a webhook answered was not noted");
        }
        answered.outcome(now)
    }

    /// Notes what an answer means for the webhook, if it is still that which was called. Where all is well, that is nothing.
    async fn note(
        &self,
        org: &OrgId,
        webhook: &Webhook,
        answered: Answered,
        now: Timestamp,
    ) -> Result<(), DbError> {
        if answered.accepted() {
            return self.app.note_webhook_well(org, webhook).await;
        }
        let (id, url) = (webhook.webhook_id, webhook.terms.url.clone());
        let failing_since = match weigh(webhook.failing_since, now, self.patience) {
            _ if answered.gone() => None,
            Failing::First => {
                let write = self.app.db.write(org, move |tx| {
                    Box::pin(async move { webhooks::note_failing(tx, id, &url, now).await })
                });
                return write.await;
            }
            Failing::Still => return Ok(()),
            Failing::TooLong => webhook.failing_since,
        };
        let notice = self.app.clock.new_id().into();
        self.disable(org, id, Ended { url, failing_since, notice }, now).await
    }

    async fn disable(&self, org: &OrgId, id: WebhookId, ended: Ended, now: Timestamp) -> Result<(), DbError> {
        let write = self.app.db.write(org, move |tx| {
            Box::pin(async move {
                if webhooks::disable(tx, id, ended, now).await? {
                    let origin = Origin::system(NAME, "webhooks");
                    audit::record(tx, &origin, &[Event::new("webhook.disable", id)]).await?;
                    tx.after_commit(|| metrics::counter!("webhooks_disabled_total").increment(1));
                }
                Ok::<_, DbError>(())
            })
        });
        write.await?;
        self.app.webhook_notices.notify_one();
        Ok(())
    }
}

impl App {
    /// Notes that a webhook was called well, if it was failing.
    pub(super) async fn note_webhook_well(&self, org: &OrgId, webhook: &Webhook) -> Result<(), DbError> {
        if webhook.failing_since.is_none() {
            return Ok(());
        }
        let (id, url) = (webhook.webhook_id, webhook.terms.url.clone());
        let write =
            self.db.write(org, move |tx| Box::pin(async move { webhooks::note_well(tx, id, &url).await }));
        write.await
    }
}

/// Why a webhook is not called.
fn not_called(webhook: &Webhook) -> Option<&'static str> {
    match webhook.state {
        WebhookState::Enabled => None,
        WebhookState::Paused => Some("the webhook is paused"),
        WebhookState::Disabled => Some("the webhook is disabled"),
    }
}

/// What notes say goes to those alone who asked for it, and still do.
fn body_for(webhook: &Webhook, event: &Kept) -> Option<Vec<u8>> {
    let private_text = event.private_text.as_deref().filter(|_| webhook.terms.include_private);
    body(&event.kind, event.occur_time, &event.data, private_text)
}

fn unread(error: &DbError) -> Outcome {
    tracing::warn!(%error, "what a webhook is to be told was not read; tried again");
    Outcome::Again { why: Why::from("our database did not answer"), not_before: None }
}
