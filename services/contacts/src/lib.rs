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
//! | other services, which this one neither asks nor tells | `peers`, `events` |
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

use std::sync::Arc;

use runtime::{Config, Deps, Service, StartError, Unit};

use crate::api::Api;
use crate::app::App;
use crate::config::ContactsConfig;
pub use crate::error::Error;

/// The name by which processes and peers know this service.
const NAME: &str = "contacts";

/// This service, for a process to run.
pub fn unit() -> Unit {
    Unit::new(NAME, service)
}

/// Opens the database and puts the service together.
///
/// # Errors
/// [`StartError`] when the configuration has an unknown key or the database cannot be opened.
pub async fn service(config: Config, deps: Deps) -> Result<Service, StartError> {
    let ContactsConfig {} = config.section(NAME)?;
    let db = deps.open(&store::MIGRATIONS).await?;
    let app = Arc::new(App::new(db.clone(), deps.clock.clone(), deps.seal.clone()));
    let workers = worker::workers(db, Arc::clone(&app));
    let (routes, health) = Api::new(app).routes();
    Ok(Service { routes, workers, health })
}
