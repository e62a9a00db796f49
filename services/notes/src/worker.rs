//! What goes on beside the calls: events are delivered, and what nobody will ask for again is forgotten.

use std::collections::HashMap;
use std::sync::Arc;

use db::Db;
use kernel::Clock;
use outbox::{Deliver, Outbox, Relay, Sweep};
use rpc::Peer;
use runtime::Worker;

use crate::events::{NOTIFICATIONS, ROUTING, ToNotifications, ToRouting};

/// The service's workers.
pub fn workers(db: &Db, outbox: &Outbox, clock: &Clock, notifications: Peer, routing: Peer) -> Vec<Worker> {
    let notifications: Arc<dyn Deliver> = Arc::new(ToNotifications(notifications));
    let routing: Arc<dyn Deliver> = Arc::new(ToRouting(routing));
    let targets = HashMap::from([(NOTIFICATIONS, notifications), (ROUTING, routing)]);
    let relay = Relay::new("notes", db.clone(), outbox.clone(), clock.clone(), targets);
    vec![Worker::relay(relay), Worker::sweep(Sweep::new(db.clone())), Worker::forget_answers(db.clone())]
}
