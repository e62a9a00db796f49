//! Old changes of inboxes are forgotten: whoever comes back for them later lists again.

use std::time::Duration;

use crate::app::App;
use crate::error::Error;
use crate::store;

/// How long changes are kept: a quarter of an hour, and as long again as a transaction may take.
const KEPT: Duration = Duration::from_secs(16 * 60);

/// Changes removed with one commit.
const AT_ONCE: u32 = 2_000;

impl App {
    /// Forgets the old changes of every organization; says how many.
    ///
    /// # Errors
    /// [`Error::Db`]; what was removed before stays so.
    pub async fn forget_inbox_changes(&self) -> Result<u64, Error> {
        let stale = self
            .db
            .read_system(|tx| Box::pin(async move { store::inbox_log::list_stale(tx, KEPT).await }))
            .await?;
        let mut removed = 0;
        for org in stale {
            loop {
                let some = self.db.write(&org, |tx| {
                    Box::pin(async move {
                        store::inbox_log::forget_before(tx, KEPT).await?;
                        Ok::<_, Error>(store::inbox_log::remove_forgotten(tx, AT_ONCE.into()).await?)
                    })
                });
                let some = some.await?;
                removed += some;
                if some < u64::from(AT_ONCE) {
                    break;
                }
            }
        }
        Ok(removed)
    }
}
