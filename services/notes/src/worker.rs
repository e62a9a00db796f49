//! What goes on beside the calls: events are delivered, and what nobody will ask for again is forgotten.

use std::collections::HashMap;
use std::sync::Arc;

use audit::Sealer;
use db::Db;
use kernel::Clock;
use outbox::{Deliver, Outbox, Relay, Sweep};
use rpc::Peer;
use runtime::Worker;

use crate::NAME;
use crate::app::{App, watch};
use crate::config::NotesConfig;
use crate::events::{NOTIFICATIONS, ROUTING, ToNotifications, ToRouting};

/// The service's workers.
pub fn workers(db: &Db, outbox: &Outbox, clock: &Clock, notifications: Peer, routing: Peer) -> Vec<Worker> {
    let notifications: Arc<dyn Deliver> = Arc::new(ToNotifications(notifications));
    let routing: Arc<dyn Deliver> = Arc::new(ToRouting(routing));
    let targets = HashMap::from([(NOTIFICATIONS, notifications), (ROUTING, routing)]);
    let relay = Relay::new("notes", db.clone(), outbox.clone(), clock.clone(), targets);
    vec![
        Worker::relay(relay),
        Worker::sealer(Sealer::new(NAME, db.clone())),
        Worker::sweep(Sweep::new(db.clone())),
        Worker::forget_answers(db.clone()),
    ]
}

/// The poller behind lost wake-ups of streams.
pub fn watch_poller(app: &App, config: &NotesConfig) -> Worker {
    let (db, listeners, every) = (app.db.clone(), app.listeners.clone(), config.poll(app.db.engine()));
    Worker::new("watch poller", move |stop| watch::poll(db.clone(), listeners.clone(), every, stop))
}
