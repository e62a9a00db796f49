//! What emails hold of notes: who wants it, and the end of its time.

use std::sync::Arc;
use std::time::Duration;

use runtime::Worker;
use tokio_util::sync::CancellationToken;

use super::FORGET_EVERY;
use crate::app::App;

/// Between two looks who wants excerpts: shorter than what the contract says.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Keeps in mind which organizations want excerpts.
pub(super) fn looker(app: &Arc<App>) -> Worker {
    let app = Arc::clone(app);
    Worker::new("excerpt settings", move |stop| look(Arc::clone(&app), stop))
}

/// Removes excerpts that nobody needs any more.
pub(super) fn forgetter(app: &Arc<App>) -> Worker {
    let app = Arc::clone(app);
    Worker::new("excerpt retention", move |stop| forget(Arc::clone(&app), stop))
}

async fn look(app: Arc<App>, stop: CancellationToken) {
    loop {
        if let Err(error) = app.look_who_wants_excerpts().await {
            tracing::warn!(%error, "no look for settings of emails; tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn forget(app: Arc<App>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(FORGET_EVERY) => {}
        }
        if let Err(error) = app.forget_excerpts(app.clock.now()).await {
            tracing::warn!(%error, "retention of excerpts stopped early; goes on at the next round");
        }
    }
}
