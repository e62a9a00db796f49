//! Deliveries that are due are claimed: an even share for each organization, only so many at once for each destination, and none that
//! another process has. A claim ends by itself, so that what a process left undone is carried by another.

use std::collections::HashMap;

use db::{DbError, Tx};
use kernel::OrgId;
use uuid::Uuid;

use super::App;
use super::dispatch::Pace;
use crate::domain::delivery::Channel;
use crate::domain::turns::{self, Waiting};
use crate::error::Error;
use crate::store::attempts;
use crate::store::delivery_claims::{self, Claim, Claimed};
use crate::store::destinations::{self, Due, Queue};

/// What was claimed at once.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Marks these claims.
    pub fence: Uuid,
    /// The deliveries.
    pub deliveries: Vec<Claimed>,
    /// The organization whose turn was the last; the next claim begins behind it.
    pub turn: Option<OrgId>,
}

impl App {
    /// Claims at most `free` deliveries of a channel that are due. `turn` is where the claim before ended.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn claim_deliveries(
        &self,
        channel: Channel,
        pace: Pace,
        turn: Option<OrgId>,
        free: usize,
    ) -> Result<Batch, Error> {
        let fence = self.clock.new_id();
        let claimed = self.db.write_system(move |tx| {
            Box::pin(async move { claim(tx, channel, pace, turn, free, fence).await.map_err(Error::Db) })
        });
        claimed.await
    }
}

async fn claim(
    tx: &mut Tx,
    channel: Channel,
    pace: Pace,
    turn: Option<OrgId>,
    free: usize,
    fence: Uuid,
) -> Result<Batch, DbError> {
    let after = turn.as_ref().map_or("", OrgId::as_str);
    let due = destinations::lock_due(tx, channel, after, i64::try_from(free).unwrap_or(i64::MAX)).await?;
    if due.is_empty() {
        return Ok(Batch { fence, turn, ..Batch::default() });
    }
    let now = tx.now().await?;
    let under_way = under_way(delivery_claims::under_way(tx, channel, now).await?);
    let waiting: Vec<Waiting<&OrgId>> = due.iter().map(|due| waiting(due, &under_way, pace)).collect();
    let given = turns::share(free, &waiting);
    let mut batch = Batch { fence, turn, ..Batch::default() };
    let mut served: Vec<&OrgId> = Vec::new();
    for ((due, waiting), given) in due.iter().zip(&waiting).zip(given) {
        if given == 0 && waiting.room > 0 {
            continue;
        }
        let queue = Queue { channel, destination: due.destination.clone() };
        let mut taken = 0;
        if given > 0 {
            let claim = Claim { fence, now, until: now.plus(pace.lease) };
            let limit = i64::try_from(given).unwrap_or(i64::MAX);
            let claimed = delivery_claims::claim(tx, &due.org_id, &queue, claim, limit).await?;
            taken = claimed.len();
            batch.deliveries.extend(claimed);
            if !served.contains(&&due.org_id) {
                served.push(&due.org_id);
            }
        }
        destinations::put_next(tx, &due.org_id, &queue, taken < waiting.room).await?;
    }
    if let Some(last) = served.last() {
        batch.turn = Some((*last).clone());
    }
    attempts::begin(tx, &batch.deliveries, now).await?;
    Ok(batch)
}

type UnderWay = HashMap<(OrgId, String), usize>;

fn under_way(counts: Vec<(OrgId, String, i64)>) -> UnderWay {
    let count = |count: i64| usize::try_from(count).unwrap_or(usize::MAX);
    counts.into_iter().map(|(org, destination, many)| ((org, destination), count(many))).collect()
}

/// One that did not answer the last time is asked with one delivery alone, so that a host that is down costs one attempt and not many.
fn waiting<'a>(due: &'a Due, under_way: &UnderWay, pace: Pace) -> Waiting<&'a OrgId> {
    let most = if due.failures > 0 { 1 } else { pace.per_destination };
    let now = under_way.get(&(due.org_id.clone(), due.destination.clone())).copied().unwrap_or(0);
    Waiting { org: &due.org_id, room: most.saturating_sub(now) }
}
