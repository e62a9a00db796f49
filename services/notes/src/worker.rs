//! What goes on beside the calls: events are delivered, and what nobody will ask for again is forgotten.

use std::collections::HashMap;
use std::time::Duration;

use audit::Sealer;
use db::Db;
use kernel::Clock;
use merges::Follower;
use outbox::{Outbox, Relay, Sweep};
use rpc::Peer;
use runtime::Worker;
use tokio_util::sync::CancellationToken;

use crate::NAME;
use crate::app::{App, merge_index, retention, watch};
use crate::config::NotesConfig;
use crate::events::contacts::deliver_to_contacts;
use crate::events::notifications::deliver_to_notifications;
use crate::events::{NOTIFICATIONS, ROUTING, deliver_to_routing};
use crate::peers::CONTACTS;

/// Between two looks for what is kept no longer.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);

/// The service's workers.
pub fn workers(
    db: &Db,
    outbox: &Outbox,
    clock: &Clock,
    notifications: Peer,
    routing: Peer,
    contacts: Peer,
) -> Vec<Worker> {
    let targets = HashMap::from([
        (NOTIFICATIONS, deliver_to_notifications(notifications.clone(), db.clone(), clock.clone())),
        (announce::TARGET, announce::deliver(notifications)),
        (ROUTING, deliver_to_routing(routing)),
        (CONTACTS, deliver_to_contacts(contacts)),
    ]);
    let relay = Relay::new("notes", db.clone(), outbox.clone(), clock.clone(), targets);
    vec![
        Worker::relay(relay),
        Worker::sealer(Sealer::new(NAME, db.clone())),
        Worker::sweep(Sweep::new(db.clone())),
        Worker::forget_answers(db.clone()),
        forgetter(db.clone(), clock.clone()),
        index_merger(db.clone()),
    ]
}

/// Deletes notes and internal messages that their organization keeps no longer: at the start, and every hour.
fn forgetter(db: Db, clock: Clock) -> Worker {
    Worker::new("retention", move |stop| forget(db.clone(), clock.clone(), stop))
}

async fn forget(db: Db, clock: Clock, stop: CancellationToken) {
    loop {
        let forgotten = tokio::select! {
            () = stop.cancelled() => return,
            forgotten = retention::forget(&db, clock.now()) => forgotten,
        };
        match forgotten {
            Ok(gone) => tracing::debug!(gone, "retention"),
            Err(error) => tracing::warn!(%error, "retention stopped early; goes on at the next round"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(FORGET_EVERY) => {}
        }
    }
}

/// Lets the words of deleted notes leave SQLite's index.
fn index_merger(db: Db) -> Worker {
    Worker::new("index merger", move |stop| merge_index::merge_index(db.clone(), stop))
}

/// Lets notes follow merges of contacts.
pub fn contact_mover(follower: &Follower) -> Worker {
    let follower = follower.clone();
    Worker::new("contact mover", move |stop| follower.clone().work(stop))
}

/// The poller behind lost wake-ups of streams.
pub fn watch_poller(app: &App, config: &NotesConfig) -> Worker {
    let (db, listeners, every) = (app.db.clone(), app.listeners.clone(), config.poll(app.db.engine()));
    Worker::new("watch poller", move |stop| watch::poll(db.clone(), listeners.clone(), every, stop))
}
