//! The tables: which steps make them, and bringing a database there.

mod ledger;
mod postgres;
mod sqlite;

use crate::{DbError, Engine};

pub(crate) use ledger::LIST as RAN;
pub(crate) use postgres::migrate as postgres;
pub(crate) use sqlite::migrate as sqlite;

/// The names of the steps that are due after those that ran, as `set/step`. See [`ledger::due`].
pub(crate) fn due(
    migrations: &Migrations,
    engine: Engine,
    ran: Vec<(String, String, String)>,
) -> Result<Vec<String>, DbError> {
    let due = ledger::due(migrations, engine, ran)?;
    Ok(due.iter().map(|due| format!("{}/{}", due.set, due.step.name)).collect())
}

/// Everything that makes one service's tables, in order: usually [`RETRY_KEYS`](crate::RETRY_KEYS), the outbox's set
/// and the service's own.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// The sets; each is numbered for itself.
    pub sets: &'static [&'static MigrationSet],
}

/// Tables that belong together and are changed together, from one crate.
#[derive(Debug, Clone, Copy)]
pub struct MigrationSet {
    /// The set's name, unique in the service: `notes`.
    pub name: &'static str,
    /// Its steps, in order. A step that was released is never changed: a database that ran it would refuse to open.
    pub steps: &'static [Step],
    /// Those of its tables that system work sees across tenants: queues, leases, timers. All other tables show a
    /// transaction only its own organization's rows.
    pub work_tables: &'static [&'static str],
}

/// One change of the tables, written for both databases. See [`step!`](crate::step).
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What orders and names it: `0001_notes`.
    pub name: &'static str,
    /// Statements for SQLite. Tables are STRICT.
    pub sqlite: &'static str,
    /// Statements for PostgreSQL. Row-level security is added to every table by the runner.
    pub postgres: &'static str,
}

/// The step in the calling crate's files `migrations/sqlite/NAME.sql` and `migrations/postgres/NAME.sql`.
#[macro_export]
macro_rules! step {
    ($name:literal) => {
        $crate::Step {
            name: $name,
            sqlite: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/migrations/postgres/",
                $name,
                ".sql"
            )),
        }
    };
}
