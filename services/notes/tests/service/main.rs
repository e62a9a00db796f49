//! The notes service over the wire, and its store, on both databases.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod create;
mod edit;
mod mentions;
mod outages;
mod peers;
mod privacy;
mod read;
mod store;
mod world;
