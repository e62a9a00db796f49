//! All SQL of this service: free functions on the transaction, one statement each.
//!
//! | module | table |
//! |---|---|
//! | [`contacts`] | `contacts`: profiles, with their version |
//! | [`identities`] | `identities`: who owns which address |
//! | [`tags`] | `contact_tags` |

pub mod contacts;
pub mod identities;
pub mod tags;

use db::{MigrationSet, Migrations, RETRY_KEYS, step};

/// The tables of this service.
pub static MIGRATIONS: Migrations = Migrations {
    sets: &[
        &RETRY_KEYS,
        &MigrationSet { name: "contacts", steps: &[step!("0001_contacts")], work_tables: &[] },
    ],
};
