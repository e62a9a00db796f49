//! Retention: what happened around contacts goes after the time that the organization set (C8).

use audit::{Event, Origin};
use db::Tx;
use kernel::OrgId;

use super::App;
use crate::store::{activity, settings};
use crate::{Error, NAME};

/// Activities deleted in one transaction: short, so that nobody waits behind it.
const AT_ONCE: i64 = 500;

impl App {
    /// Deletes the activities of every organization that are older than it keeps them; tells how many went.
    ///
    /// # Errors
    /// [`Error::Database`]; what went before stays gone.
    pub async fn forget_activity(&self) -> Result<u64, Error> {
        let (mut gone, mut last) = (0, String::new());
        loop {
            let after = last.clone();
            let next = self
                .db
                .read_system(move |tx| Box::pin(async move { activity::find_org_after(tx, &after).await }));
            let Some(org) = next.await.map_err(Error::Database)? else { return Ok(gone) };
            loop {
                let some = self.forget_some(&org).await?;
                gone += some;
                if some < AT_ONCE.unsigned_abs() {
                    break;
                }
            }
            last = org.to_string();
        }
    }

    async fn forget_some(&self, org: &OrgId) -> Result<u64, Error> {
        self.db.write(org, |tx| Box::pin(forget(tx))).await
    }
}

async fn forget(tx: &mut Tx) -> Result<u64, Error> {
    let decided = settings::find(tx).await?;
    let before = decided.settings.activity_retention.before(tx.clock().now());
    let gone = activity::forget(tx, before, AT_ONCE).await?;
    if gone > 0 {
        let org = tx.org().map(ToString::to_string).unwrap_or_default();
        audit::record(tx, &Origin::system(NAME, "retention"), &[Event::new("activity.forget", org)]).await?;
    }
    Ok(gone)
}
