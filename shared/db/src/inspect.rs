//! What is there where a service keeps its data, looked at without changing it.

use crate::migrate::{self, Migrations};
use crate::opening;
use crate::{DbError, Engine, Target};
use futures::future::BoxFuture;
use kernel::Timestamp;
use sqlx::postgres::{PgArguments, PgConnectOptions};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::path::Path;

const POSTGRES: &str = "
    SELECT split_part(current_setting('server_version'), ' ', 1), current_setting('server_version_num')::bigint,
           (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, current_setting('max_connections')::bigint,
           to_regclass('schema_migrations') IS NOT NULL";
const SQLITE: &str = "
    SELECT sqlite_version(), EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations')";

/// The oldest PostgreSQL that the tables are made for, as `server_version_num` has it.
const OLDEST_POSTGRES: i64 = 150_000;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// What keeps the data, with its version: `PostgreSQL 15.8`.
    pub engine: String,
    /// Whether that version is one that the tables are made for.
    pub supported: bool,
    /// Whether there are tables yet.
    pub made: bool,
    /// The steps that the next start runs, as `set/step`.
    pub due: Vec<String>,
    /// The server's own time, where the database has a server.
    pub time: Option<Timestamp>,
    /// The connections which that server takes at once, from everybody.
    pub connections: Option<i64>,
}

/// Looks at a service's database as [`Db::open`](crate::Db::open) would find it, and changes nothing: what is due stays due, and what is
/// not there is not made.
///
/// # Errors
/// [`DbError::Unavailable`] and [`DbError::Unusable`] where it cannot be reached or opened, [`DbError::Migration`] where this program
/// could not serve from its tables.
// Not `async fn`: the body of one is compiled again in each crate that awaits it.
pub fn inspect<'a>(
    target: &'a Target,
    migrations: &'a Migrations,
) -> BoxFuture<'a, Result<Inspection, DbError>> {
    Box::pin(async move {
        match target {
            Target::Sqlite { path, .. } => sqlite(path, migrations).await,
            Target::Postgres { url, schema, .. } => postgres(url, schema, migrations).await,
        }
    })
}

async fn sqlite(path: &Path, migrations: &Migrations) -> Result<Inspection, DbError> {
    if !path.exists() {
        return found("SQLite", migrations, Engine::Sqlite, Vec::new());
    }
    // Not read-only: a reader alone would leave files behind that it may not remove.
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    let mut conn = SqliteConnection::connect_with(&options).await.map_err(opening::sqlite(path))?;
    let (version, made): (String, bool) = sqlx::query_as_with(SQLITE, SqliteArguments::default())
        .fetch_one(&mut conn)
        .await
        .map_err(opening::sqlite(path))?;
    let ran = match made {
        true => sqlx::query_as_with(migrate::RAN, SqliteArguments::default())
            .fetch_all(&mut conn)
            .await
            .map_err(opening::sqlite(path))?,
        false => Vec::new(),
    };
    let _ = conn.close().await;
    let inspection = found(&format!("SQLite {version}"), migrations, Engine::Sqlite, ran)?;
    Ok(Inspection { made, ..inspection })
}

async fn postgres(url: &str, schema: &str, migrations: &Migrations) -> Result<Inspection, DbError> {
    let login: PgConnectOptions = url.parse().map_err(|_: sqlx::Error| opening::unreadable())?;
    let options = login.clone().options([("search_path", schema)]);
    let mut conn = options.connect().await.map_err(opening::postgres(&login))?;
    let (version, number, micros, connections, made): (String, i64, i64, i64, bool) =
        sqlx::query_as_with(POSTGRES, PgArguments::default())
            .fetch_one(&mut conn)
            .await
            .map_err(opening::postgres(&login))?;
    let ran = match made {
        true => sqlx::query_as_with(migrate::RAN, PgArguments::default())
            .fetch_all(&mut conn)
            .await
            .map_err(opening::postgres(&login))?,
        false => Vec::new(),
    };
    let _ = conn.close().await;
    let inspection = found(&format!("PostgreSQL {version}"), migrations, Engine::Postgres, ran)?;
    Ok(Inspection {
        supported: number >= OLDEST_POSTGRES,
        made,
        time: Some(Timestamp::from_micros(micros)),
        connections: Some(connections),
        ..inspection
    })
}

/// An inspection with the steps that are due after those that ran.
fn found(
    engine: &str,
    migrations: &Migrations,
    on: Engine,
    ran: Vec<(String, String, String)>,
) -> Result<Inspection, DbError> {
    Ok(Inspection {
        engine: engine.to_owned(),
        supported: true,
        made: false,
        due: migrate::due(migrations, on, ran)?,
        time: None,
        connections: None,
    })
}
