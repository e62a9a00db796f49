//! The notes service over the wire, and its store, on both databases.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod contact_notes;
mod create;
mod edit;
mod internal_messages;
mod mentions;
mod outages;
mod peers;
mod permanence;
mod pins;
mod privacy;
mod read;
mod revisions;
mod search;
mod search_store;
mod settings;
mod store;
mod templates;
mod threads;
mod watch;
mod world;
