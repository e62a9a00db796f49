//! All SQL of the service: free functions on the transaction, one statement each.
//!
//! | module | story |
//! |---|---|
//! | [`heads`] | the end of each feed: grow, lock, count, find those that moved |
//! | [`entries`] | what people were told: add, find, follow |
//! | [`list`] | a page of a feed |
//! | [`handling`] | read, archive, snooze |
//! | [`retention`] | what is kept no longer |
//! | [`erasure`] | what an erasure removes |
//!
//! Locks are taken in one order everywhere: the inbox, then heads by subject, then entries.

pub mod entries;
pub mod erasure;
pub mod handling;
pub mod heads;
pub mod list;
pub mod retention;
mod row;

use db::{MigrationSet, Migrations, step};

/// The tables of feeds. Both are work tables: the poller looks for heads that moved, retention for entries that are
/// due, in all organizations.
static FEEDS: MigrationSet = MigrationSet {
    name: "notifications",
    steps: &[step!("0001_feeds"), step!("0002_erasure")],
    work_tables: &["feed_heads", "feed_entries"],
};

/// Everything that makes this service's tables.
pub static MIGRATIONS: Migrations =
    Migrations { sets: &[&audit::TABLES, &outbox::TABLES, &::erasure::TABLES, &FEEDS] };
