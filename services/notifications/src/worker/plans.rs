//! Looks for feeds with entries that are not planned.

use std::sync::Arc;
use std::time::Duration;

use outbox::Woken;
use runtime::Worker;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::app::plan::Ways;
use crate::app::{App, FEED_TOPIC};
use crate::error::Error;

/// Between two looks that nobody asked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What comes so soon after a wake-up is planned with it. Nothing is told sooner than this anyway.
const TOGETHER: Duration = Duration::from_millis(200);
/// After a failure: routing or the database does not answer.
const RECOVER: Duration = Duration::from_secs(2);
/// Between two looks while nobody can be told anything outside of their feed.
const IDLE: Duration = Duration::from_secs(3);

/// The worker.
pub(super) fn planner(app: &Arc<App>, ways: Ways) -> Worker {
    let (app, ways) = (Arc::clone(app), Arc::new(ways));
    Worker::new("planner", move |stop| run(Arc::clone(&app), Arc::clone(&ways), stop))
}

async fn run(app: Arc<App>, ways: Arc<Ways>, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = plan(&app, &ways) => {}
    }
}

async fn plan(app: &App, ways: &Arc<Ways>) {
    let mut woken = app.wake.subscribe(FEED_TOPIC);
    let mut turn = String::new();
    loop {
        let wait = match round(app, ways, &mut turn).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "what is told outside of feeds was not planned; tried again");
                Wait::For(RECOVER)
            }
        };
        match wait {
            Wait::Not => {}
            Wait::For(time) => tokio::time::sleep(time).await,
            Wait::Woken => rung(&mut woken).await,
        }
    }
}

/// How long until the next round.
enum Wait {
    /// There is more.
    Not,
    For(Duration),
    /// Until something enters a feed, or for a while.
    Woken,
}

async fn round(app: &App, ways: &Arc<Ways>, turn: &mut String) -> Result<Wait, Error> {
    if ways.channels.is_empty() || !ways.sends_email() && !app.any_device().await? {
        // What comes meanwhile is not told later either: a device that is registered then shows the feed anyway.
        app.skip_plans().await?;
        return Ok(Wait::For(IDLE));
    }
    let (planned, last) = app.plan_round(ways, turn).await?;
    *turn = last;
    Ok(if planned > 0 { Wait::Not } else { Wait::Woken })
}

/// Until something enters somebody's feed, or for a while: a wake-up may be lost.
async fn rung(woken: &mut Receiver<Woken>) {
    let rung = tokio::time::timeout(LOOK_EVERY, woken.recv()).await;
    match rung {
        Ok(Err(RecvError::Closed)) => tokio::time::sleep(LOOK_EVERY).await,
        Ok(_) => {
            tokio::time::sleep(TOGETHER).await;
            // One look answers all that rang meanwhile.
            *woken = woken.resubscribe();
        }
        Err(_) => {}
    }
}
