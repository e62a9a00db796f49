//! The poller behind lost wake-ups: NATS was down, or another process wrote and nobody told this one.

use std::time::Duration;

use db::{Db, DbError};
use rpc::stream::Listeners;
use tokio_util::sync::CancellationToken;

use crate::domain::watch::Watched;
use crate::store;

/// Asks now and then where the changes end which streams of this process follow, all in one question, and wakes those streams
/// that are behind. A wake-up that never came costs so much time and nothing else.
pub async fn poll(db: Db, listeners: Listeners<Watched>, every: Duration, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        match look(&db, &listeners).await {
            Ok(woken) => metrics::counter!("note_streams_woken_by_poller_total").increment(woken as u64),
            Err(error) => tracing::warn!(%error, "no look for notes that changed; tried again"),
        }
    }
}

async fn look(db: &Db, listeners: &Listeners<Watched>) -> Result<usize, DbError> {
    let watched = listeners.watched();
    if watched.is_empty() {
        return Ok(0);
    }
    let ends =
        db.read_system(move |tx| Box::pin(async move { store::watch::ends(tx, &watched).await })).await?;
    Ok(ends.iter().map(|(watched, end)| listeners.wake_behind(watched, *end)).sum())
}
