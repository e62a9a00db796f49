//! All SQL of this service: free functions on the transaction, one statement each.
//!
//! | module | table |
//! |---|---|
//! | [`contacts`] | `contacts`: profiles, with their version |
//! | [`identities`] | `identities`: who owns which address |
//! | [`tags`] | `contact_tags` |
//! | [`lists`] | `lists`: names, with the number of members |
//! | [`members`] | `list_members` |
//! | [`definitions`] | `attribute_definitions` |
//! | [`attributes`] | `contact_attributes` |
//! | [`search`] | `search_entries`: what contacts are found by |
//! | [`backlog`] | `search_backlog`: contacts from before there were searches |

pub mod attributes;
pub mod backlog;
pub mod contacts;
pub mod definitions;
pub mod identities;
pub mod lists;
pub mod members;
pub mod search;
pub mod tags;

use db::{MigrationSet, Migrations, RETRY_KEYS, step};

/// The tables of this service.
pub static MIGRATIONS: Migrations = Migrations {
    sets: &[
        &RETRY_KEYS,
        &audit::TABLES,
        &MigrationSet {
            name: "contacts",
            steps: &[
                step!("0001_contacts"),
                step!("0002_lists"),
                step!("0003_attributes"),
                step!("0004_search"),
            ],
            work_tables: &["search_backlog"],
        },
    ],
};
