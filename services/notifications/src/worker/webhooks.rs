//! What webhooks need beside the calls: admins learn of those that were disabled, and old events go.

use std::sync::Arc;
use std::time::Duration;

use runtime::Worker;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// Between two looks for admins to be told, where nobody woke us: another process disabled the webhook, or routing did not answer.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// Between two rounds of retention.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Tells admins of webhooks that were disabled.
pub(super) fn teller(app: &Arc<App>) -> Worker {
    let app = Arc::clone(app);
    Worker::new("webhook notices", move |stop| tell(Arc::clone(&app), stop))
}

/// Forgets events that are kept no longer.
pub(super) fn forgetter(app: &Arc<App>, kept: Duration) -> Worker {
    let app = Arc::clone(app);
    Worker::new("webhook event retention", move |stop| forget(Arc::clone(&app), kept, stop))
}

async fn tell(app: Arc<App>, stop: CancellationToken) {
    loop {
        match app.tell_of_disabled_webhooks().await {
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "not all admins were told of disabled webhooks; tried again")
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.webhook_notices.notified() => {}
            () = tokio::time::sleep(TELL_EVERY) => {}
        }
    }
}

async fn forget(app: Arc<App>, kept: Duration, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(FORGET_EVERY) => {}
        }
        let before = app.clock.now().minus(kept);
        let forgotten = tokio::select! {
            () = stop.cancelled() => return,
            forgotten = app.forget_webhook_events(before) => forgotten,
        };
        match forgotten {
            Ok(events) => tracing::debug!(events, "retention of webhook events"),
            Err(error) => {
                tracing::warn!(%error, "webhook events not all forgotten; goes on at the next round")
            }
        }
    }
}
