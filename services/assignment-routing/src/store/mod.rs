//! All SQL of the service: free functions on a transaction, one statement each, a file per table or use.
//!
//! In a tenant's transaction `$1` is the organization. Where the databases differ there is one `match` on the engine:
//! [`locks`].

pub mod agents;
pub mod assignments;
pub mod attention;
pub mod begun;
pub mod bulk;
pub mod conversations;
pub mod counts;
pub mod decisions;
pub mod demands;
pub mod erasure;
pub mod handles;
pub mod history;
pub mod hours;
pub mod inbox_log;
pub mod loads;
pub mod locks;
pub mod merges;
pub mod messages;
pub mod named;
pub mod offers;
pub mod people;
pub mod presence;
pub mod queue;
pub mod report_marks;
pub mod report_shares;
pub mod reports;
pub mod settings;
pub mod sla_breaches;
pub mod sla_policies;
pub mod snoozes;
pub mod teams;
pub mod timers;
pub mod unanswered;
pub mod views;
pub mod workflows;

use db::{DbError, MigrationSet, Migrations};

static ROUTING: MigrationSet = MigrationSet {
    name: "routing",
    steps: &[
        db::step!("0001_routing"),
        db::step!("0002_people_by_role"),
        db::step!("0003_contact_merges"),
        db::step!("0005_history"),
        db::step!("0006_erasure"),
        db::step!("0007_capacity"),
        db::step!("0008_hours"),
        db::step!("0009_handoff"),
        db::step!("0010_watch"),
        db::step!("0011_timers"),
        db::step!("0012_offers"),
        db::step!("0013_sla"),
        db::step!("0014_reports"),
        db::step!("0015_missed_offers"),
    ],
    work_tables: &[
        "presence",
        "team_members",
        "queue",
        "snoozes",
        "inbox_changes",
        "timers",
        "report_marks",
        "report_backlogs",
    ],
};

/// Every table of the service.
pub static MIGRATIONS: Migrations = Migrations {
    sets: &[
        &db::RETRY_KEYS,
        &audit::TABLES,
        &outbox::TABLES,
        &::erasure::TABLES,
        &::merges::TABLES,
        &ROUTING,
    ],
};

/// A stored text that is none of those the program writes.
fn unreadable(column: &str) -> DbError {
    DbError::Corrupt(format!("column {column} has a value that the program never writes"))
}

/// `($2,$3,$4)`: the placeholders of an IN list.
fn list(first: usize, length: usize) -> String {
    db::rows(first, 1, length)
}
