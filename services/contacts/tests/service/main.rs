//! The contacts service over the wire, and its store, on both databases.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

/// The pure part, with the tests that stand beside its code.
#[expect(dead_code, unused_imports, unreachable_pub, reason = "only its own tests use it here")]
#[path = "../../src/domain/mod.rs"]
mod domain;
mod wire;

mod activity;
mod attributes;
mod audit;
mod blocks;
mod contact_lists;
mod definitions;
mod desk;
mod duplicates;
mod elsewhere;
mod erased_merges;
mod erasers;
mod erasure;
mod exports;
mod files;
mod followers;
mod hidden;
mod imports;
mod lists;
mod merge_desk;
mod merge_races;
mod merges;
mod panel;
mod profiles;
mod refusals;
mod resolves;
mod search;
mod search_model;
mod settings;
mod store;
mod tags;
mod unmerges;
mod updates;
