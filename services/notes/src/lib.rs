//! Everything private: notes which colleagues write on a conversation and its customer never sees.
//!
//! The service asks assignment-routing whether a conversation exists and whom a name means, and tells notifications and
//! assignment-routing what happened, without content. Nobody asks it on behalf of a customer: no RPC here is for contacts.
//!
//! | to read about | open |
//! |---|---|
//! | what a note is, which names it mentions, whom they tell | [`domain`] |
//! | the use cases and their transactions | [`app`] |
//! | the tables | `migrations/`, [`store`] |
//! | what is asked of others, what they are told | [`peers`], [`events`] |
//! | the contract's side | [`api`], [`wire`], [`error`] |
//! | what goes on beside the calls | [`worker`] |

pub mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod error;
pub mod events;
pub mod peers;
pub mod store;
pub mod wire;
pub mod worker;

use std::sync::Arc;

use announce::Announcer;
use db::{MigrationSet, Migrations};
use merges::Follower;
use outbox::Outbox;
use runtime::{Config, Deps, Service, StartError, Unit};
use tokio::sync::Semaphore;

use crate::api::Api;
use crate::app::App;
use crate::app::follow_merges::Notes;
use crate::config::NotesConfig;
use crate::peers::Peers;

static NOTES: MigrationSet = MigrationSet {
    name: "notes",
    steps: &[
        db::step!("0001_notes"),
        db::step!("0002_note_templates"),
        db::step!("0003_settings"),
        db::step!("0004_internal_messages"),
        db::step!("0005_search"),
        db::step!("0006_watch"),
        db::step!("0007_contact_merges"),
        db::step!("0008_handoffs"),
        db::step!("0009_time_zone"),
        db::step!("0010_erasure"),
        db::step!("0011_search_spans"),
        db::step!("0012_index_debts"),
    ],
    work_tables: &["note_heads", "settings"],
};

/// The service's tables.
pub static MIGRATIONS: Migrations = Migrations {
    sets: &[&db::RETRY_KEYS, &audit::TABLES, &outbox::TABLES, &erasure::TABLES, &merges::TABLES, &NOTES],
};

/// The name of the service in its audit trail.
const NAME: &str = "notes";

/// The service as a part of a process.
pub fn unit() -> Unit {
    Unit::new("notes", service).reading::<NotesConfig>()
}

/// Opens the database and puts the service together.
///
/// # Errors
/// [`StartError`] if a setting or a peer's address is wrong or missing, or the database cannot be opened.
pub async fn service(config: Config, deps: Deps) -> Result<Service, StartError> {
    let own: NotesConfig = config.section("notes")?;
    let (routing, notifications) = (deps.peer(events::ROUTING)?, deps.peer(events::NOTIFICATIONS)?);
    let contacts = deps.peer(peers::CONTACTS)?;
    let db = deps.open(&MIGRATIONS).await?;
    let outbox = Outbox::new();
    let announcer = Announcer::new(outbox.clone());
    let asker = announce::asker(&announcer, notifications.clone());
    let mut workers =
        worker::workers(&db, &outbox, &deps.clock, notifications, routing.clone(), contacts.clone());
    workers.push(asker);
    let follower = Follower::new(NAME, db.clone(), Notes { wake: deps.wake.clone() });
    workers.push(worker::contact_mover(&follower));
    let app = App {
        db,
        follower,
        clock: deps.clock,
        seal: deps.seal,
        outbox,
        announcer,
        peers: Peers::new(routing, contacts),
        wake: deps.wake,
        listeners: Default::default(),
        streams_end: deps.streams_end,
        pdf_seats: Arc::new(Semaphore::new(app::export::PDFS_AT_ONCE)),
    };
    workers.push(worker::watch_poller(&app, &own));
    let (routes, health) = Api(Arc::new(app)).routes();
    Ok(Service { routes, workers, health })
}
