//! Work beside the calls.

use std::sync::Arc;
use std::time::Duration;

use audit::Sealer;
use db::Db;
use outbox::{Relay, Sweep};
use runtime::Worker;
use tokio_util::sync::CancellationToken;

use crate::NAME;
use crate::app::App;
use crate::peers::erasure::Erasers;

/// Between a failure and the next try.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Between two looks for activity that is kept no longer.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);

/// Between two looks for an erasure that is due.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The service's workers.
pub(crate) fn workers(db: Db, app: Arc<App>, relay: Relay) -> Vec<Worker> {
    let [indexing, forgetting] = [&app, &app].map(Arc::clone);
    vec![
        Worker::relay(relay),
        Worker::sealer(Sealer::new(NAME, db.clone())),
        Worker::sweep(Sweep::new(db.clone())),
        Worker::forget_answers(db),
        Worker::new("index older contacts", move |stop| index_older(Arc::clone(&indexing), stop)),
        Worker::new("activity retention", move |stop| forget_activity(Arc::clone(&forgetting), stop)),
    ]
}

/// Lets searches find the contacts that were there before them. When they all are found, there is nothing left to do.
async fn index_older(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match app.index_older().await {
            Ok(true) => continue,
            Ok(false) => return stop.cancelled().await,
            Err(error) => tracing::warn!(%error, "older contacts not indexed; tried again later"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TRY_AGAIN) => {}
        }
    }
}

/// Deletes activity that is kept no longer: at the start, and every hour.
async fn forget_activity(app: Arc<App>, stop: CancellationToken) {
    loop {
        let forgotten = tokio::select! {
            () = stop.cancelled() => return,
            forgotten = app.forget_activity() => forgotten,
        };
        match forgotten {
            Ok(activities) => tracing::debug!(activities, "retention"),
            Err(error) => tracing::warn!(%error, "retention stopped early; goes on at the next round"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(FORGET_EVERY) => {}
        }
    }
}

/// Lets erasures go on, in all services, until nothing is left.
pub(crate) fn erasures(app: Arc<App>, erasers: Erasers) -> Worker {
    Worker::new("erasures", move |stop| run_erasures(Arc::clone(&app), erasers.clone(), stop))
}

async fn run_erasures(app: Arc<App>, erasers: Erasers, stop: CancellationToken) {
    loop {
        // Cut off anywhere, it is taken up again: every step is written down.
        let run = tokio::select! {
            () = stop.cancelled() => return,
            run = app.run_erasure(&erasers) => run,
        };
        let pause = match run {
            Ok(true) => continue,
            Ok(false) => LOOK_EVERY,
            Err(error) => {
                tracing::warn!(%error, "an erasure stopped early; taken again later");
                TRY_AGAIN
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
