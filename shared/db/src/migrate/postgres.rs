//! Migrating a PostgreSQL schema, and giving every table its row-level security.

use super::ledger::{CREATE, LIST, RECORD, due, failed};
use super::{MigrationSet, Migrations};
use crate::opening;
use crate::postgres::Uniques;
use crate::{DbError, Engine};
use kernel::Clock;
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgArguments, PgConnectOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

/// The role that serves: may use the tables, owns nothing, cannot log in.
const ROLE: &str = "backchannel_app";

/// Roles belong to the whole server, where another database's migration may be making the same one.
const CREATE_ROLE: &str = "DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backchannel_app') THEN
        CREATE ROLE backchannel_app NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
const GRANT_ROLE: &str = "DO $$ BEGIN
    IF NOT pg_has_role('backchannel_app', 'MEMBER') THEN GRANT backchannel_app TO CURRENT_USER; END IF;
EXCEPTION WHEN unique_violation THEN NULL; END $$";
/// Whether row-level security would not bind the login role itself.
const ABOVE_RLS: &str = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = CURRENT_USER";

/// Tables, and whether they name the organization.
const TABLES: &str = "
    SELECT c.relname::text,
           EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migrations'
    ORDER BY c.relname";

/// What serving needs to know after a migration.
pub(crate) struct Migrated {
    /// The role to serve as; `None` if it could not be made and the login role is itself bound by the policies.
    pub(crate) role: Option<&'static str>,
    pub(crate) uniques: Uniques,
}

/// Runs what is due, all of it or nothing; replicas that start together wait for one another.
pub(crate) async fn migrate(
    login: &PgConnectOptions,
    schema: &str,
    all: &Migrations,
    clock: &Clock,
) -> Result<Migrated, DbError> {
    // What DROP .. IF EXISTS has to say is no news.
    let options = login.clone().options([("search_path", schema), ("client_min_messages", "warning")]);
    let mut conn = options.connect().await.map_err(opening::postgres(login))?;
    let role = role(&mut conn).await?;
    let mut tx = conn.begin().await.map_err(failed("starting"))?;
    steps(&mut tx, schema, role, all, clock).await?;
    tx.commit().await.map_err(failed("ending"))?;
    let uniques = Uniques::load(&mut conn, schema).await.map_err(failed("reading the indexes"))?;
    let _ = conn.close().await;
    Ok(Migrated { role, uniques })
}

/// Makes the serving role, if the login role may.
async fn role(conn: &mut PgConnection) -> Result<Option<&'static str>, DbError> {
    let made = async {
        run(conn, CREATE_ROLE).await?;
        run(conn, GRANT_ROLE).await
    };
    let Err(error) = made.await else { return Ok(Some(ROLE)) };
    let (above,): (bool,) = sqlx::query_as_with(ABOVE_RLS, PgArguments::default())
        .fetch_one(conn)
        .await
        .map_err(failed("reading the login role"))?;
    if above {
        return Err(DbError::Migration(format!(
            "the role {ROLE} cannot be made or assumed: {}",
            DbError::from(error)
        )));
    }
    tracing::warn!(
        "the role {ROLE} cannot be made: serving as the login role, bound by row-level security all the same"
    );
    Ok(None)
}

async fn steps(
    conn: &mut PgConnection,
    schema: &str,
    role: Option<&str>,
    all: &Migrations,
    clock: &Clock,
) -> Result<(), DbError> {
    run(conn, format!("SELECT pg_advisory_xact_lock({})", lock_key(schema)))
        .await
        .map_err(failed("waiting"))?;
    run(conn, format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await.map_err(failed("making the schema"))?;
    run(conn, CREATE).await.map_err(failed("schema_migrations"))?;
    let ran = sqlx::query_as_with(LIST, PgArguments::default())
        .fetch_all(&mut *conn)
        .await
        .map_err(failed("schema_migrations"))?;
    let due = due(all, Engine::Postgres, ran)?;
    if due.is_empty() {
        return Ok(());
    }
    for due in due {
        let name = format!("{}/{}", due.set, due.step.name);
        run(conn, due.sql).await.map_err(failed(&name))?;
        sqlx::query_with(RECORD, PgArguments::default())
            .bind(due.set)
            .bind(due.step.name)
            .bind(due.checksum)
            .bind(clock.now())
            .execute(&mut *conn)
            .await
            .map_err(failed(&name))?;
        tracing::info!(step = %name, "migrated");
    }
    protect(conn, schema, role, all.sets).await
}

/// Gives every table its policy: here and not in each migration, so that none can be forgotten.
async fn protect(
    conn: &mut PgConnection,
    schema: &str,
    role: Option<&str>,
    sets: &[&MigrationSet],
) -> Result<(), DbError> {
    let tables: Vec<(String, bool)> = sqlx::query_as_with(TABLES, PgArguments::default())
        .bind(schema)
        .fetch_all(&mut *conn)
        .await
        .map_err(failed("listing the tables"))?;
    for (table, has_org) in tables {
        if !has_org {
            return Err(DbError::Migration(format!("the table {table} must have org_id")));
        }
        let mut own = "org_id = current_setting('app.org', true)".to_owned();
        if sets.iter().any(|set| set.work_tables.contains(&table.as_str())) {
            own.push_str(" OR current_setting('app.org', true) = '*'");
        }
        let policy = format!(
            "ALTER TABLE \"{table}\" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
             DROP POLICY IF EXISTS tenant ON \"{table}\";
             CREATE POLICY tenant ON \"{table}\" USING ({own}) WITH CHECK ({own})"
        );
        run(conn, policy).await.map_err(failed(&table))?;
    }
    let Some(role) = role else { return Ok(()) };
    let grants = format!(
        "GRANT USAGE ON SCHEMA {schema} TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
         REVOKE ALL ON schema_migrations FROM {role}"
    );
    run(conn, grants).await.map_err(failed("granting"))
}

/// One lock per schema, the same in every program.
fn lock_key(schema: &str) -> i64 {
    let digest = Sha256::digest(format!("backchannel migrations of {schema}"));
    digest.iter().take(8).fold(0, |key, byte| (key << 8) | i64::from(*byte))
}

async fn run(conn: &mut PgConnection, sql: impl Into<String>) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(conn).await.map(drop)
}
