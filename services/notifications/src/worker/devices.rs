//! Devices that nobody registered again for a long time are removed.

use std::sync::Arc;
use std::time::Duration;

use runtime::Worker;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Removes what was not registered for `kept`: at the start, and every hour.
pub(super) fn forgetter(app: &Arc<App>, kept: Duration) -> Worker {
    let app = Arc::clone(app);
    Worker::new("device retention", move |stop| forget(Arc::clone(&app), kept, stop))
}

async fn forget(app: Arc<App>, kept: Duration, stop: CancellationToken) {
    loop {
        let forgotten = tokio::select! {
            () = stop.cancelled() => return,
            forgotten = app.forget_devices(app.clock.now().minus(kept)) => forgotten,
        };
        match forgotten {
            Ok(devices) => tracing::debug!(devices, "retention of devices"),
            Err(error) => {
                tracing::warn!(%error, "retention of devices stopped early; goes on at the next round")
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
