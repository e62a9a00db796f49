//! Deliveries enter the queue, in the transaction of what causes them.

use std::collections::{BTreeMap, BTreeSet};

use db::{DbError, Tx};
use outbox::Wake;

use crate::domain::delivery::{Channel, NewDelivery};
use crate::store::deliveries::{self, Lane, Placed};
use crate::store::destinations::{self, Growth, Queue};

/// The topic of wake-ups about deliveries; the key is the channel.
pub const DELIVERY_TOPIC: &str = "delivery";

/// Queues deliveries in the caller's transaction, which is one organization's, and wakes those who carry them once it commits.
///
/// Their queues stay locked until the commit, so that places in them are in the order of commits. They are locked in one order: a
/// transaction calls this once, with everything, and best at its end.
///
/// # Errors
/// [`DbError`] of a statement.
pub async fn enqueue(tx: &mut Tx, wake: &Wake, new: Vec<NewDelivery>) -> Result<(), DbError> {
    if new.is_empty() {
        return Ok(());
    }
    let growth = growth(&new);
    let ends = destinations::grow(tx, &growth).await?;
    let lanes: BTreeSet<Lane> = new.iter().filter_map(lane_of).collect();
    let lanes: Vec<Lane> = lanes.into_iter().collect();
    let mut busy = deliveries::busy_lanes(tx, &lanes).await?;
    let mut left: BTreeMap<&Queue, i64> = growth.iter().map(|(queue, growth)| (queue, growth.by)).collect();
    let mut placed = Vec::with_capacity(new.len());
    for delivery in &new {
        let queue = queue_of(delivery);
        let (Some(end), Some(left)) = (ends.get(&queue), left.get_mut(&queue)) else { continue };
        *left -= 1;
        let behind = lane_of(delivery).is_some_and(|lane| !busy.insert(lane));
        placed.push(Placed { new: delivery, sequence: end - *left, behind });
    }
    let now = tx.now().await?;
    deliveries::insert(tx, &placed, now).await?;
    ring(tx, wake, growth.keys().map(|queue| queue.channel));
    Ok(())
}

/// Wakes those who carry deliveries of these channels once the transaction commits.
pub(super) fn ring(tx: &mut Tx, wake: &Wake, channels: impl Iterator<Item = Channel>) {
    let channels: BTreeSet<Channel> = channels.collect();
    let (Some(org), wake) = (tx.org().cloned(), wake.clone()) else { return };
    tx.after_commit(move || {
        for channel in channels {
            wake.publish(DELIVERY_TOPIC, &org, channel.as_str());
        }
    });
}

fn queue_of(new: &NewDelivery) -> Queue {
    Queue { channel: new.channel, destination: new.destination.clone() }
}

fn lane_of(new: &NewDelivery) -> Option<Lane> {
    (!new.lane.is_empty()).then(|| (queue_of(new), new.lane.clone()))
}

/// How much each queue grows, and when the first of it is due.
fn growth(new: &[NewDelivery]) -> BTreeMap<Queue, Growth> {
    let mut growth = BTreeMap::new();
    for delivery in new {
        let due_time = delivery.due_time;
        let queue = growth.entry(queue_of(delivery)).or_insert(Growth { by: 0, due_time });
        queue.by += 1;
        queue.due_time = queue.due_time.min(due_time);
    }
    growth
}
