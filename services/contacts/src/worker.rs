//! Work beside the calls: forgetting the answers kept for retries once nobody can ask for them again.

use std::time::Duration;

use db::{Db, DbError};
use tokio_util::sync::CancellationToken;

/// Forgets expired retry keys now, and again every `every`, until `stop`.
pub async fn sweep(db: Db, every: Duration, stop: CancellationToken) {
    loop {
        match forget_expired(&db).await {
            Ok(keys) => tracing::debug!(keys, "forgot expired retry keys"),
            // They are only forgotten later; a retry within its 24 hours is answered from them all the same.
            Err(error) => tracing::warn!(%error, "expired retry keys not forgotten; tried again later"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// Forgets every expired retry key; tells how many.
///
/// # Errors
/// [`DbError`]; those forgotten before stay forgotten.
pub async fn forget_expired(db: &Db) -> Result<u64, DbError> {
    let mut forgotten = 0;
    loop {
        // A limited number in a transaction of its own, so that callers' writes get their turn in between.
        let gone = db.write_system(|tx| Box::pin(db::forget_expired(tx))).await?;
        if gone == 0 {
            return Ok(forgotten);
        }
        forgotten += gone;
    }
}
