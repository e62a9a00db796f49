//! The notes service over the wire, and its store, on both databases.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

/// The pure part, with the tests that stand beside its code.
#[expect(dead_code, unused_imports, unreachable_pub, reason = "only its own tests use it here")]
#[path = "../../src/domain/mod.rs"]
mod domain;

mod around;
mod contact_notes;
mod create;
mod edit;
mod erasure;
mod excerpts;
mod export;
mod handoffs;
mod ingest;
mod internal_messages;
mod mentions;
mod merges;
mod outages;
mod peers;
mod permanence;
mod pins;
mod privacy;
mod read;
mod retention;
mod revisions;
mod search;
mod search_store;
mod settings;
mod store;
mod templates;
mod threads;
mod timeline;
mod transfer;
mod watch;
mod watch_erased;
mod world;
