//! From a configuration to a serving process, and to its orderly end.
//!
//! A service crate describes itself as a [`Unit`]; [`main`] runs one of them as a process, [`run`] any number of them
//! on one port, [`start`] the same inside a test.
//!
//! | to read about | open |
//! |---|---|
//! | what can be configured, and from where | `config/` |
//! | what a service gives ([`Service`]) and gets ([`Deps`]) | `service` |
//! | how services, layers, listeners and workers come together | `start` |
//! | the accept loop: both HTTP versions, bounds, GOAWAY | `serve` |
//! | answers whose reader takes nothing | `stalled` |
//! | the order of the end | `lifecycle` |
//! | workers: supervised, stopped in two stages | `worker` |
//! | keys: configured ones or the development key | `credentials` |
//! | a key set that changes while the process runs | `key_set` |
//! | metrics, probes | `internal` |
//! | certificates: encrypted connections, both ways | [`tls`] |
//! | logs and traces | `telemetry` |
//! | events on their way to a peer, and what its answer means to the relay | `delivery` |
//! | what a database's refusal is to a caller | `database` |
//! | what a configuration would meet, looked at without starting | [`doctor`] |
//! | tables without serving | `migrate` |
//! | what programs say at a terminal | [`say`] |
//! | what makes two calls the same request | `retry` |
//! | what the audit trail says of a call, and how admins read it | `origin`, `audit_trail` |

mod audit_trail;
mod config;
mod credentials;
mod database;
mod delivery;
pub mod doctor;
mod error;
mod internal;
mod key_set;
mod lifecycle;
mod main_of;
mod migrate;
mod origin;
mod retry;
pub mod say;
mod serve;
mod service;
mod stalled;
mod start;
mod telemetry;
pub mod tls;
mod worker;

/// The allocator of every program that runs services.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use audit_trail::AuditTrail;
pub use config::{
    Config, ConfigError, Connections, KeyFiles, LogFormat, Overrides, PeerAddresses, Secret, Section,
    ShutdownConfig, TelemetryConfig, TlsFiles,
};
pub use database::database;
pub use delivery::{DELIVERY, delivered, recorded, to_peer, undelivered};
pub use error::StartError;
pub use lifecycle::until_asked_to_stop;
pub use main_of::{ServeFlags, exit_code, main, run};
pub use migrate::{Migrated, migrate};
pub use origin::origin;
pub use retry::retry;
pub use serve::{ServeStop, serve};
pub use service::{Deps, Service, Unit};
pub use start::{Running, start};
pub use telemetry::Telemetry;
pub use worker::Worker;
