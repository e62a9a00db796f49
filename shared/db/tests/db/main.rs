//! What services rely on, on both databases. `BACKCHANNEL_TEST_POSTGRES` names a PostgreSQL to run on.
//!
//! | module | story |
//! |---|---|
//! | `facade` | one SQL text, the same behaviour |
//! | `gather` | questions of many callers in one statement |
//! | `once` | safe retries |
//! | `opening` | databases that do not open, and one process at a time on a file |
//! | `group_commit` | many writers at once |
//! | `cancel` | callers who go away |
//! | `silence` | connections of which nothing comes any more |
//! | `tenants` | row-level security |
//! | `migrations` | bringing a database to the form the program needs |
//! | `ledger` | the tables they all use |
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod cancel;
mod durability;
mod facade;
mod gather;
mod group_commit;
mod ledger;
mod migrations;
mod once;
mod opening;
mod silence;
mod tenants;
