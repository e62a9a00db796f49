//! What happened is kept for replays for some days, then no longer.

use kernel::Timestamp;

use crate::app::App;
use crate::error::Error;
use crate::store::webhook_events;

/// Events removed in one transaction: short, so that nobody waits behind it.
const EVENTS: i64 = 500;

impl App {
    /// Removes events that were taken before, until there is none; tells how many.
    ///
    /// # Errors
    /// [`Error::Db`]; what went before stays gone.
    pub async fn forget_webhook_events(&self, before: Timestamp) -> Result<u64, Error> {
        let mut gone = 0;
        loop {
            let write = self
                .db
                .write_system(move |tx| Box::pin(webhook_events::remove_taken_before(tx, before, EVENTS)));
            let removed = write.await.map_err(Error::Db)?;
            gone += removed;
            if removed == 0 {
                return Ok(gone);
            }
        }
    }
}
