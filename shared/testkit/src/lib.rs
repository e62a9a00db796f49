//! For tests: services in this process, on either database, over real TCP ports. Never part of a release.
//!
//! ```ignore
//! testkit::on_both_databases! {
//!     // N1
//!     async fn a_note_is_read_back(engine) {
//!         let suite = testkit::Suite::of([notes::unit(), routing::unit()]).on(engine).start().await;
//!         let mut notes = NoteServiceClient::new(suite.client("acme", "ana", Role::Agent));
//!         ...
//!     }
//! }
//! ```
//!
//! - [`Suite`]: the services under test, started by constructors, as this crate knows none of them.
//! - [`Client`]: a gRPC channel that carries one person's token.
//! - [`on_both_databases!`]: one test body, two tests.
//! - [`PostgresDatabase`]: a database of its own per test.
//! - [`free_port`]: where a service listens, also after a restart.
//! - [`PdfText`]: what somebody reads in a PDF, and whatever else is in it.
//!
//! Everything here panics with a message instead of returning errors: it is only ever called by tests.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test that cannot be set up has failed, with a message"
)]

mod both;
mod client;
mod pdf;
mod port;
mod postgres;
mod suite;

#[doc(hidden)]
pub use both::run;
pub use client::{Bearer, Client};
pub use db::Engine;
pub use pdf::PdfText;
pub use port::free_port;
pub use postgres::PostgresDatabase;
pub use suite::{Builder, Suite};
