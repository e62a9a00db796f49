//! All SQL of the service: free functions on the transaction, one statement each.
//!
//! | module | story |
//! |---|---|
//! | [`heads`] | the end of each feed: grow, lock, count, find those that moved |
//! | [`entries`] | what people were told: add, find, follow |
//! | [`list`] | a page of a feed |
//! | [`handling`] | read, archive, snooze |
//! | [`retention`] | what is kept no longer |
//! | [`settings`] | what organizations decided |
//! | [`excerpts`] | the beginnings of notes, for emails |
//! | [`devices`] | where pushes go |
//! | [`preferences`], [`mutes`] | who wants to hear what |
//! | [`plans`] | what is told outside of feeds, and what is still to be planned |
//! | [`bundles`] | what an email or a push still has to tell |
//! | [`erasure`] | what an erasure removes |
//! | [`webhooks`] | where organizations want to be told what happens |
//! | [`webhook_events`] | what happened, for some days |
//! | [`destinations`] | the queues of deliveries: grow, lock, rest |
//! | [`deliveries`] | deliveries in their queues: add, rewrite |
//! | [`delivery_claims`] | claims on them: take, end |
//! | [`attempts`] | every attempt to carry one |
//! | [`delivery_list`] | deliveries as admins see them |
//! | [`delivery_retention`] | which of them are kept no longer |
//!
//! Locks are taken in one order everywhere: the inbox, then heads by subject, then entries; then the queues of
//! deliveries, in the order of their names, and what waits in them.

pub mod attempts;
pub mod bundles;
pub mod deliveries;
pub mod delivery_claims;
pub mod delivery_list;
pub mod delivery_retention;
pub mod destinations;
pub mod devices;
pub mod entries;
pub mod erasure;
pub mod excerpts;
pub mod handling;
pub mod heads;
pub mod list;
pub mod mutes;
pub mod plans;
pub mod preferences;
pub mod retention;
mod row;
pub mod settings;
pub mod webhook_events;
pub mod webhooks;

use db::{MigrationSet, Migrations, step};

/// The tables of feeds. Most are work tables: the poller looks for heads that moved, retention for entries that are
/// due, in all organizations.
static FEEDS: MigrationSet = MigrationSet {
    name: "notifications",
    steps: &[
        step!("0001_feeds"),
        step!("0002_erasure"),
        step!("0003_deliveries"),
        step!("0004_preferences"),
        step!("0005_devices"),
        step!("0006_webhooks"),
        step!("0007_read_state"),
        step!("0008_excerpts"),
        step!("0009_plan_turns"),
    ],
    work_tables: &[
        "feed_heads",
        "feed_entries",
        "delivery_destinations",
        "deliveries",
        "delivery_attempts",
        "feed_settings",
        "excerpts",
        "devices",
        "webhooks",
        "webhook_events",
    ],
};

/// Everything that makes this service's tables.
pub static MIGRATIONS: Migrations =
    Migrations { sets: &[&db::RETRY_KEYS, &audit::TABLES, &outbox::TABLES, &::erasure::TABLES, &FEEDS] };
