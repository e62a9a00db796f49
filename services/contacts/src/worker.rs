//! Work beside the calls.

use std::sync::Arc;
use std::time::Duration;

use audit::Sealer;
use db::Db;
use runtime::Worker;
use tokio_util::sync::CancellationToken;

use crate::NAME;
use crate::app::App;

/// Between a failure and the next try.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// The service's workers.
pub(crate) fn workers(db: Db, app: Arc<App>) -> Vec<Worker> {
    let older = Worker::new("index older contacts", move |stop| index_older(Arc::clone(&app), stop));
    vec![Worker::sealer(Sealer::new(NAME, db.clone())), Worker::forget_answers(db), older]
}

/// Lets searches find the contacts that were there before them. Ends when they all are found.
async fn index_older(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match app.index_older().await {
            Ok(true) => continue,
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "older contacts not indexed; tried again later"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TRY_AGAIN) => {}
        }
    }
}
