//! The contacts service: people outside, the addresses by which channels know them, their tags, lists and attributes, and how
//! they are found.
//!
//! | to read about | open |
//! |---|---|
//! | what is valid, what is the same, what a change does | [`domain`] |
//! | what the service does, one file per use case | [`app`] |
//! | the tables and all SQL | [`store`], `migrations/` |
//! | the contract's messages and ours | `wire` |
//! | the RPCs | `api` |
//! | what can go wrong | [`error`] |
//! | work beside the calls | [`worker`] |
//! | settings | [`config`] |
//! | what is asked of other services, and what they tell | `peers`, `app/apply_activity_events.rs` |
//!
//! Follow one request: `api` takes `ResolveContact`, `wire` makes an [`Address`](domain::Address) of it,
//! `app/resolve.rs` looks for the owner or makes one, with the statements of `store/identities.rs` and
//! `store/contacts.rs`.

mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod error;
mod events;
mod peers;
pub mod store;
mod wire;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;

use outbox::Relay;
use runtime::{Config, Deps, Service, StartError, Unit};

use crate::api::Api;
use crate::app::{App, Panels};
use crate::config::ContactsConfig;
pub use crate::error::Error;
use crate::events::{deliver_to_notes, deliver_to_routing};
use crate::peers::erasure::{Erasers, NOTIFICATIONS};
use crate::peers::{NOTES, Peers, ROUTING};

/// The name by which processes and peers know this service.
const NAME: &str = "contacts";

/// This service, for a process to run.
pub fn unit() -> Unit {
    Unit::new(NAME, service).reading::<ContactsConfig>()
}

/// Opens the database and puts the service together.
///
/// # Errors
/// [`StartError`] when the configuration has an unknown key, a peer's address is missing or the database cannot be opened.
pub async fn service(config: Config, deps: Deps) -> Result<Service, StartError> {
    let ContactsConfig {} = config.section(NAME)?;
    let peers = Peers::new(deps.peer(ROUTING)?, deps.peer(NOTES)?);
    let erasers = Erasers {
        routing: deps.peer(ROUTING)?,
        notes: deps.peer(NOTES)?,
        notifications: deps.peer(NOTIFICATIONS)?,
    };
    let db = deps.open(&store::MIGRATIONS).await?;
    let app = Arc::new(App::new(db.clone(), deps.clock.clone(), deps.seal.clone()));
    let targets = HashMap::from([
        (ROUTING, deliver_to_routing(deps.peer(ROUTING)?)),
        (NOTES, deliver_to_notes(deps.peer(NOTES)?)),
        (announce::TARGET, announce::deliver(deps.peer(NOTIFICATIONS)?)),
    ]);
    let relay = Relay::new(NAME, db.clone(), app.outbox(), deps.clock.clone(), targets);
    let mut workers = worker::workers(db, Arc::clone(&app), relay);
    let panels = Panels::new(Arc::clone(&app), peers);
    workers.push(announce::asker(app.announcer(), deps.peer(NOTIFICATIONS)?));
    workers.push(worker::erasures(Arc::clone(&app), erasers));
    let (routes, health) = Api::new(app, panels, deps.streams_end.clone()).routes();
    Ok(Service { routes, workers, health })
}
