//! The poller behind lost wake-ups: NATS was down, or another process wrote and nobody told this one.

use std::time::Duration;

use db::{Db, DbError};
use rpc::stream::{Listeners, Outage};
use tokio_util::sync::CancellationToken;

use crate::domain::watch::Watched;
use crate::store;

/// Asks now and then where the changes end which streams of this process follow, all in one question, and wakes those streams
/// that are elsewhere. A wake-up that never came costs so much time and nothing else.
pub async fn poll(db: Db, listeners: Listeners<Watched>, every: Duration, stop: CancellationToken) {
    let mut outage = Outage::default();
    loop {
        let round = async {
            tokio::time::sleep(every).await;
            match look(&db, &listeners).await {
                Ok(woken) => {
                    outage.ends();
                    metrics::counter!("note_streams_woken_by_poller_total").increment(woken as u64);
                }
                Err(error) => {
                    tracing::warn!(%error, "no look for notes that changed; tried again");
                    outage.goes_on(&listeners).await;
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = round => {}
        }
    }
}

async fn look(db: &Db, listeners: &Listeners<Watched>) -> Result<usize, DbError> {
    let watched = listeners.watched();
    if watched.is_empty() {
        return Ok(0);
    }
    let asked = watched.clone();
    let ends =
        db.read_system(move |tx| Box::pin(async move { store::watch::ends(tx, &asked).await })).await?;
    // Without an end: nothing was ever written there, or it was erased.
    let end = |watched| ends.get(watched).copied().unwrap_or(0);
    Ok(listeners.wake_elsewhere(watched.iter().map(|watched| (watched, end(watched)))).await)
}
