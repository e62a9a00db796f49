//! All SQL of this service: free functions on the transaction, one statement each.
//!
//! | module | table |
//! |---|---|
//! | [`contacts`] | `contacts`: profiles, with their version |
//! | [`walk`] | `contacts`: page after page |
//! | [`identities`] | `identities`: who owns which address |
//! | [`tags`] | `contact_tags` |
//! | [`lists`] | `lists`: names, with the number of members |
//! | [`members`] | `list_members` |
//! | [`definitions`] | `attribute_definitions` |
//! | [`attributes`] | `contact_attributes` |
//! | [`search`] | `search_entries`: what contacts are found by |
//! | [`merges`] | `contact_merges`: which contacts became one; `merged_activities` |
//! | [`merged_addresses`] | `merged_addresses`: which addresses return with a merge |
//! | [`traces`] | `contact_merges`: where else somebody's data was while a merge stood |
//! | [`duplicates`] | `duplicate_keys`, `duplicate_pairs`, `duplicate_dismissals`: who may be one person |
//! | [`activity`] | `contact_activities`: what happened around contacts |
//! | [`settings`] | `settings`: what the organization decided |
//! | [`erasures`] | `erasures`, `erasure_parts`: who is erased, and how far that is |
//! | [`erased`] | what an erasure removes, in all of them |
//! | [`batch`] | all of them, for many contacts at once |
//! | [`backlog`] | `search_backlog`: contacts from before there were searches |

pub mod activity;
pub mod attributes;
pub mod backlog;
pub mod batch;
pub mod contacts;
pub mod definitions;
pub mod duplicates;
pub mod erased;
pub mod erasures;
pub mod identities;
pub mod lists;
pub mod members;
pub mod merged_addresses;
pub mod merges;
pub mod search;
pub mod settings;
pub mod tags;
pub mod traces;
pub mod walk;

use db::{MigrationSet, Migrations, RETRY_KEYS, step};

/// The tables of this service.
pub static MIGRATIONS: Migrations = Migrations {
    sets: &[
        &RETRY_KEYS,
        &audit::TABLES,
        &outbox::TABLES,
        &erasure::TABLES,
        &MigrationSet {
            name: "contacts",
            steps: &[
                step!("0001_contacts"),
                step!("0002_lists"),
                step!("0003_attributes"),
                step!("0004_search"),
                step!("0005_merge"),
                step!("0006_activity_block_settings"),
                step!("0008_erasure"),
                step!("0009_whole_addresses"),
                step!("0010_merge_traces"),
            ],
            work_tables: &["search_backlog", "contact_activities", "erasures"],
        },
    ],
};
