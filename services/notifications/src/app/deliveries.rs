//! Deliveries for admins: listed, read, and dead letters tried again.

use std::collections::{BTreeMap, BTreeSet};

use audit::{Event, Origin};
use db::{DbError, Tx};
use kernel::{OrgId, PageSize, Timestamp};
use outbox::Wake;

use super::App;
use super::enqueue::ring;
use crate::domain::attempt::Attempt;
use crate::domain::delivery::{DeliveryId, DeliveryState};
use crate::error::Error;
use crate::store::attempts;
use crate::store::deliveries::Lane;
use crate::store::delivery_claims;
use crate::store::delivery_list::{self, Delivery, DeliveryFilter};
use crate::store::destinations::{self, Growth, Queue};

const TOKEN: &str = "deliveries.list";

/// Dead letters that one call tries again.
const AT_ONCE: i64 = 200;

/// Which page.
#[derive(Debug, Clone)]
pub struct ListDeliveries {
    /// Of whose.
    pub org: OrgId,
    /// Of which.
    pub filter: DeliveryFilter,
    /// How many.
    pub size: PageSize,
    /// Token of the page before; empty for the first.
    pub page_token: String,
}

/// A page.
#[derive(Debug)]
pub struct DeliveryPage {
    /// Its deliveries, newest first.
    pub deliveries: Vec<Delivery>,
    /// Token of the next page; empty at the end.
    pub next_page_token: String,
}

/// How many dead letters are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retried {
    /// Of this call.
    pub count: u64,
    /// Whether there are more.
    pub more: bool,
}

impl App {
    /// Lists deliveries of an organization.
    ///
    /// # Errors
    /// [`Error::ForeignPageToken`], [`Error::Db`].
    pub async fn list_deliveries(&self, list: ListDeliveries) -> Result<DeliveryPage, Error> {
        let ListDeliveries { org, filter, size, page_token } = list;
        let binding = format!("{org}/{}", filter.fingerprint()).into_bytes();
        let before: Option<DeliveryId> = match page_token.as_str() {
            "" => None,
            token => Some(self.seal.open(TOKEN, &binding, token).map_err(|_| Error::ForeignPageToken)?),
        };
        let read = self.db.read(&org, move |tx| {
            Box::pin(async move {
                delivery_list::before(tx, &filter, before, size.and_one()).await.map_err(Error::from)
            })
        });
        let mut deliveries = read.await?;
        let more = deliveries.len() > size.get();
        deliveries.truncate(size.get());
        let last = deliveries.last().filter(|_| more);
        let next_page_token =
            last.map(|last| self.seal.seal(TOKEN, &binding, &last.delivery_id)).unwrap_or_default();
        Ok(DeliveryPage { deliveries, next_page_token })
    }

    /// A delivery and its attempts, newest first.
    ///
    /// # Errors
    /// [`Error::NoSuchDelivery`], [`Error::Db`].
    pub async fn get_delivery(&self, org: &OrgId, id: DeliveryId) -> Result<(Delivery, Vec<Attempt>), Error> {
        let read = self.db.read(org, move |tx| {
            Box::pin(async move {
                let delivery = delivery_list::find(tx, id).await?.ok_or(Error::NoSuchDelivery)?;
                Ok((delivery, attempts::list(tx, id).await?))
            })
        });
        read.await
    }

    /// Gives a dead letter all its attempts again, and answers with the delivery. One that is none is left as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchDelivery`], [`Error::Db`].
    pub async fn retry_delivery(
        &self,
        org: &OrgId,
        origin: Origin,
        id: DeliveryId,
    ) -> Result<Delivery, Error> {
        let wake = self.wake.clone();
        let write = self.db.write(org, move |tx| {
            Box::pin(async move {
                let found = delivery_list::find(tx, id).await?.ok_or(Error::NoSuchDelivery)?;
                revive(tx, &wake, origin, &[found]).await?;
                delivery_list::find(tx, id).await?.ok_or(Error::NoSuchDelivery)
            })
        });
        write.await
    }

    /// Gives dead letters all their attempts again, the oldest first, as many as one call may.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn retry_deliveries(
        &self,
        org: &OrgId,
        origin: Origin,
        filter: DeliveryFilter,
    ) -> Result<Retried, Error> {
        let wake = self.wake.clone();
        let filter = DeliveryFilter { state: Some(DeliveryState::Failed), ..filter };
        let write = self.db.write(org, move |tx| {
            Box::pin(async move {
                let mut dead = delivery_list::oldest(tx, &filter, AT_ONCE + 1).await?;
                let more = i64::try_from(dead.len()).is_ok_and(|found| found > AT_ONCE);
                dead.truncate(usize::try_from(AT_ONCE).unwrap_or(usize::MAX));
                let count = revive(tx, &wake, origin, &dead).await?;
                Ok::<_, Error>(Retried { count, more })
            })
        });
        write.await
    }
}

/// Gives those of the deliveries that are dead letters all their attempts again; tells how many.
async fn revive(tx: &mut Tx, wake: &Wake, origin: Origin, found: &[Delivery]) -> Result<u64, DbError> {
    let dead: Vec<&Delivery> = found.iter().filter(|it| it.state == DeliveryState::Failed).collect();
    if dead.is_empty() {
        return Ok(0);
    }
    let now = tx.now().await?;
    destinations::grow(tx, &looked_at(&dead, now)).await?;
    let ids: Vec<DeliveryId> = dead.iter().map(|it| it.delivery_id).collect();
    let revived = delivery_list::revive(tx, &ids, now).await?;
    let lanes: BTreeSet<Lane> =
        dead.iter().filter(|it| !it.lane.is_empty()).map(|it| (it.queue(), it.lane.clone())).collect();
    if let Some(org) = tx.org().cloned() {
        for (queue, lane) in &lanes {
            delivery_claims::bring_forward(tx, &org, queue, lane).await?;
        }
    }
    audit::record(tx, &origin, &Event::each("delivery.retry", ids)).await?;
    ring(tx, wake, dead.iter().map(|it| it.channel));
    Ok(revived)
}

/// Their queues do not grow, but have something due.
fn looked_at(dead: &[&Delivery], now: Timestamp) -> BTreeMap<Queue, Growth> {
    dead.iter().map(|it| (it.queue(), Growth { by: 0, due_time: now })).collect()
}
