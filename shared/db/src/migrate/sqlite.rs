//! Migrating a SQLite file.

use super::Migrations;
use super::ledger::{CREATE_STRICT, LIST, RECORD, due, failed};
use crate::{DbError, Engine};
use kernel::Clock;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteArguments;

/// Tables that are not as every table must be: STRICT, with the organization.
const UNFIT: &str = "
    SELECT t.name FROM pragma_table_list AS t
    WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'schema_migrations'
      AND (t.strict = 0 OR NOT EXISTS (SELECT 1 FROM pragma_table_info(t.name) AS c WHERE c.name = 'org_id'))";

/// Runs what is due, all of it or nothing.
pub(crate) async fn migrate(
    conn: &mut SqliteConnection,
    all: &Migrations,
    clock: &Clock,
) -> Result<(), DbError> {
    run(conn, "BEGIN IMMEDIATE").await.map_err(failed("starting"))?;
    let result = steps(conn, all, clock).await;
    let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = run(conn, end).await.map_err(failed("ending"));
    result.and(ended)
}

async fn steps(conn: &mut SqliteConnection, all: &Migrations, clock: &Clock) -> Result<(), DbError> {
    run(conn, CREATE_STRICT).await.map_err(failed("schema_migrations"))?;
    let ran = sqlx::query_as_with(LIST, SqliteArguments::default())
        .fetch_all(&mut *conn)
        .await
        .map_err(failed("schema_migrations"))?;
    for due in due(all, Engine::Sqlite, ran)? {
        let name = format!("{}/{}", due.set, due.step.name);
        run(conn, due.sql).await.map_err(failed(&name))?;
        sqlx::query_with(RECORD, SqliteArguments::default())
            .bind(due.set)
            .bind(due.step.name)
            .bind(due.checksum)
            .bind(clock.now())
            .execute(&mut *conn)
            .await
            .map_err(failed(&name))?;
        tracing::info!(step = %name, "migrated");
    }
    let unfit: Vec<(String,)> = sqlx::query_as_with(UNFIT, SqliteArguments::default())
        .fetch_all(conn)
        .await
        .map_err(failed("checking"))?;
    match unfit.first() {
        Some((table,)) => {
            Err(DbError::Migration(format!("the table {table} must be STRICT and have org_id")))
        }
        None => Ok(()),
    }
}

async fn run(conn: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(conn).await.map(drop)
}
