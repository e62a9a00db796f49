//! Events between services: recorded with their effect, delivered at least once, applied once.
//!
//! ```text
//! producer's transaction          relay (one per process)               consumer's transaction
//! effect + Outbox::record  --->   claim -> Deliver::deliver -> forget  ---> first_time + effect
//!          \__ wakes on commit __/        (gRPC, batches)
//! ```
//!
//! - [`Outbox`], [`Event`]: recording ([`Outbox::record`]).
//! - [`Relay`], [`Deliver`]: claiming by state under a fence, sending in batches, back-off, dead letters.
//! - [`first_time`]: the inbox; what makes a repeat harmless.
//! - [`dead_letters`], [`retry_dead`]: what was given up, and another chance for it.
//! - [`withdraw`]: takes back what is about something that is gone.
//! - [`Sweep`]: forgets what nobody will ask for again.
//! - [`Wake`], [`Bell`]: "look again" hints between tasks and processes. Losing all of them costs latency, never data.
//! - [`TABLES`]: their tables, part of every service's own migrations.
//!
//! Promises: an event is delivered if and only if the transaction that recorded it committed; one key's events are
//! delivered in order, each after the one before is done or dead; two relays never both mark an event done; a peer
//! that is down delays events and loses none. The trace of the request that recorded an event goes on with its delivery.

mod backoff;
mod dead;
mod deliver;
mod depth;
mod event;
mod inbox;
mod lane;
mod queue;
mod relay;
mod round;
mod sweep;
mod trace;
mod wake;
mod withdraw;

pub use dead::{DeadLetter, dead_letters, retry_dead};
pub use deliver::{Deliver, Outcome, Outgoing, Undelivered};
pub use event::{Event, Outbox};
pub use inbox::{REMEMBERED, first_time};
pub use relay::{Relay, RelaySettings};
pub use sweep::Sweep;
pub use wake::{BadNatsAddress, Bell, Wake, Woken, nats_version};
pub use withdraw::withdraw;

/// The tables `outbox` and `inbox`. Relay and sweep see them across tenants.
pub static TABLES: db::MigrationSet = db::MigrationSet {
    name: "outbox",
    steps: &[db::step!("0001_outbox")],
    work_tables: &["outbox", "inbox"],
};
