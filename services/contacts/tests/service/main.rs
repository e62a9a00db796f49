//! The contacts service over the wire, and its store, on both databases.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod attributes;
mod audit;
mod contact_lists;
mod definitions;
mod desk;
mod hidden;
mod lists;
mod profiles;
mod refusals;
mod resolves;
mod search;
mod search_model;
mod store;
mod tags;
mod updates;
