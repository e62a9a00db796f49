//! Retention of deliveries: what is done goes after a week, and what nobody carried for as long is given up.

use std::collections::BTreeMap;
use std::time::Duration;

use db::{DbError, Tx};
use kernel::{OrgId, Timestamp};

use super::App;
use crate::domain::delivery::DeliveryId;
use crate::error::Error;
use crate::store::delivery_claims;
use crate::store::delivery_retention::{self as retention, Overdue};
use crate::store::destinations::{self, Queue};

/// How long deliveries are kept after they were done, and how long one may be due without anybody claiming it: a channel that nobody
/// configured any more. The schedule of attempts is far shorter.
pub const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Rows of one transaction: short, so that nobody waits behind it.
const AT_ONCE: i64 = 500;

const OVERDUE: &str = "nobody carried it for a week";

impl App {
    /// Gives up and removes what is due for it, until nothing is; tells how many deliveries went.
    ///
    /// # Errors
    /// [`Error::Db`]; what went before stays gone.
    pub async fn forget_deliveries(&self, now: Timestamp) -> Result<u64, Error> {
        let before = now.minus(KEPT);
        self.give_up_overdue(before).await?;
        let mut gone = 0;
        loop {
            let removed = self.db.write_system(move |tx| Box::pin(remove(tx, before))).await?;
            gone += removed;
            if removed == 0 {
                break;
            }
        }
        while self.remove_idle_queues(before).await? > 0 {}
        Ok(gone)
    }

    async fn remove_idle_queues(&self, before: Timestamp) -> Result<u64, DbError> {
        self.db.write_system(move |tx| Box::pin(destinations::remove_idle(tx, before, AT_ONCE))).await
    }

    async fn give_up_overdue(&self, before: Timestamp) -> Result<(), Error> {
        loop {
            let overdue =
                self.db.read_system(move |tx| Box::pin(retention::list_overdue(tx, before, AT_ONCE))).await?;
            if overdue.is_empty() {
                return Ok(());
            }
            for it in overdue {
                self.db
                    .write_system(move |tx| Box::pin(async move { give_up(tx, &it, before).await }))
                    .await?;
            }
        }
    }
}

async fn remove(tx: &mut Tx, before: Timestamp) -> Result<u64, DbError> {
    let removed = retention::remove_done(tx, before, AT_ONCE).await?;
    let count = removed.len() as u64;
    let mut of: BTreeMap<OrgId, Vec<DeliveryId>> = BTreeMap::new();
    for (org, id) in removed {
        of.entry(org).or_default().push(id);
    }
    for (org, ids) in of {
        retention::remove_attempts(tx, &org, &ids).await?;
    }
    Ok(count)
}

async fn give_up(tx: &mut Tx, it: &Overdue, before: Timestamp) -> Result<(), DbError> {
    let queue = Queue { channel: it.channel, destination: it.destination.clone() };
    destinations::lock(tx, &it.org_id, &queue).await?;
    let now = tx.now().await?;
    if retention::give_up(tx, it, before, now, OVERDUE).await? {
        delivery_claims::bring_forward(tx, &it.org_id, &queue, &it.lane).await?;
        destinations::put_next(tx, &it.org_id, &queue, true).await?;
    }
    Ok(())
}
