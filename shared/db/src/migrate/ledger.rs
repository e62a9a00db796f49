//! What a database remembers of the steps it ran.

use super::{Migrations, Step};
use crate::{DbError, Engine};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write;

/// The table, in the SQL both databases read.
pub(super) const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    set_name TEXT NOT NULL,
    step TEXT NOT NULL,
    checksum TEXT NOT NULL,
    run_time BIGINT NOT NULL,
    PRIMARY KEY (set_name, step)
)";
/// SQLite's tables are STRICT, where BIGINT is no type.
pub(super) const CREATE_STRICT: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    set_name TEXT NOT NULL,
    step TEXT NOT NULL,
    checksum TEXT NOT NULL,
    run_time INTEGER NOT NULL,
    PRIMARY KEY (set_name, step)
) STRICT";
pub(crate) const LIST: &str = "SELECT set_name, step, checksum FROM schema_migrations";
pub(super) const RECORD: &str =
    "INSERT INTO schema_migrations (set_name, step, checksum, run_time) VALUES ($1, $2, $3, $4)";

/// A step to be run.
pub(super) struct Due {
    pub(super) set: &'static str,
    pub(super) step: &'static Step,
    pub(super) sql: &'static str,
    pub(super) checksum: String,
}

/// The steps that are still to be run, in order.
///
/// Steps this program does not know are left alone: during a rolling update the older version starts on the newer
/// one's tables.
///
/// # Errors
/// [`DbError::Migration`] when a step that was run has another text now, or is missing before one that was run.
pub(super) fn due(
    migrations: &Migrations,
    engine: Engine,
    run: Vec<(String, String, String)>,
) -> Result<Vec<Due>, DbError> {
    let mut run: HashMap<(String, String), String> =
        run.into_iter().map(|(set, step, sum)| ((set, step), sum)).collect();
    let mut due = Vec::new();
    for set in migrations.sets {
        let mut missing: Option<&str> = None;
        for step in set.steps {
            let sql = match engine {
                Engine::Sqlite => step.sqlite,
                Engine::Postgres => step.postgres,
            };
            let checksum = checksum(sql);
            match run.remove(&(set.name.to_owned(), step.name.to_owned())) {
                None => {
                    missing = missing.or(Some(step.name));
                    due.push(Due { set: set.name, step, sql, checksum });
                }
                Some(_) if missing.is_some() => {
                    return Err(DbError::Migration(format!(
                        "{}/{} was run before {}, which is older and was not",
                        set.name,
                        step.name,
                        missing.unwrap_or_default()
                    )));
                }
                Some(known) if known != checksum => {
                    return Err(DbError::Migration(format!(
                        "{}/{} was run with another text: a released step is never changed, add a new one",
                        set.name, step.name
                    )));
                }
                Some(_) => {}
            }
        }
    }
    Ok(due)
}

fn checksum(sql: &str) -> String {
    Sha256::digest(sql).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Turns a driver's error into one that tells where.
pub(super) fn failed(what: &str) -> impl FnOnce(sqlx::Error) -> DbError + '_ {
    move |error| match DbError::from(error) {
        error @ (DbError::Unavailable(_) | DbError::Full | DbError::Busy) => error,
        error => DbError::Migration(format!("{what}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MigrationSet;

    const A: Step = Step { name: "0001_a", sqlite: "a", postgres: "a" };
    const B: Step = Step { name: "0002_b", sqlite: "b", postgres: "b" };
    static SET: MigrationSet = MigrationSet { name: "s", steps: &[A, B], work_tables: &[] };
    static ALL: Migrations = Migrations { sets: &[&SET] };

    fn ran(step: &str, text: &str) -> (String, String, String) {
        ("s".to_owned(), step.to_owned(), checksum(text))
    }

    fn names(run: Vec<(String, String, String)>) -> Result<Vec<&'static str>, DbError> {
        due(&ALL, Engine::Sqlite, run).map(|due| due.iter().map(|d| d.step.name).collect())
    }

    #[test]
    fn only_what_was_not_run_is_due_and_newer_steps_are_tolerated() {
        assert_eq!(names(vec![]), Ok(vec!["0001_a", "0002_b"]));
        assert_eq!(names(vec![ran("0001_a", "a")]), Ok(vec!["0002_b"]));
        assert_eq!(names(vec![ran("0001_a", "a"), ran("0002_b", "b"), ran("0003_c", "c")]), Ok(vec![]));
    }

    #[test]
    fn a_changed_step_and_a_gap_are_refused() {
        assert!(names(vec![ran("0001_a", "other")]).unwrap_err().to_string().contains("another text"));
        assert!(names(vec![ran("0002_b", "b")]).unwrap_err().to_string().contains("older"));
    }
}
