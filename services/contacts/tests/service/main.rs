//! The contacts service over the wire, and its store, on both databases.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod desk;
mod lists;
mod profiles;
mod refusals;
mod resolves;
mod store;
mod tags;
mod updates;
