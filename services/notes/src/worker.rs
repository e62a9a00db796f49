//! What goes on beside the calls: events are delivered, and what nobody will ask for again is forgotten.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use db::{Db, DbError};
use kernel::Clock;
use outbox::{Deliver, Outbox, Relay, Sweep};
use rpc::Peer;
use runtime::Worker;
use tokio_util::sync::CancellationToken;

use crate::events::{NOTIFICATIONS, ROUTING, ToNotifications, ToRouting};

/// Between two sweeps of the answers kept for retries.
const SWEEP_EVERY: Duration = Duration::from_secs(10 * 60);

/// The service's workers.
pub fn workers(db: &Db, outbox: &Outbox, clock: &Clock, notifications: Peer, routing: Peer) -> Vec<Worker> {
    let notifications: Arc<dyn Deliver> = Arc::new(ToNotifications(notifications));
    let routing: Arc<dyn Deliver> = Arc::new(ToRouting(routing));
    let targets = HashMap::from([(NOTIFICATIONS, notifications), (ROUTING, routing)]);
    let relay = Relay::new("notes", db.clone(), outbox.clone(), clock.clone(), targets);
    let answers = db.clone();
    vec![
        Worker::relay(relay),
        Worker::sweep(Sweep::new(db.clone())),
        Worker::new("retry key sweep", move |stop| sweep_answers(answers.clone(), stop)),
    ]
}

async fn sweep_answers(db: Db, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
        if let Err(error) = forget_answers(&db).await {
            tracing::warn!(%error, "retry keys not swept; tried again later");
        }
    }
}

async fn forget_answers(db: &Db) -> Result<(), DbError> {
    // Little by little, so that callers' writes do not wait behind it.
    while db.write_system(|tx| Box::pin(db::forget_expired(tx))).await? > 0 {}
    Ok(())
}
