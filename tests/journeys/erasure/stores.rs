//! What is in the files and tables of the services, seen from beside them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::MARKER;
use crate::world::{SERVICES, World};

/// Where the four services keep what they have.
pub(super) struct Stores {
    folder: PathBuf,
    url: Option<String>,
}

/// Who has the erasure, and until when.
#[derive(Debug, PartialEq)]
pub(super) struct Lease {
    fence: String,
    /// In microseconds.
    pub(super) until: i64,
}

impl Stores {
    pub(super) fn of(world: &World) -> Self {
        let (folder, url) = world.stores();
        Self { folder, url }
    }

    /// The file of each service, of SQLite.
    fn files(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        SERVICES.iter().map(|(name, _)| (*name, self.folder.join(format!("{name}.db"))))
    }

    /// Gives back what is free in the files of SQLite.
    pub(super) async fn vacuum(&self) {
        for (_, file) in self.files().filter(|_| self.url.is_none()) {
            let mut connection = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
            sqlx::raw_sql("VACUUM").execute(&mut connection).await.unwrap();
            sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// The services that have the person's marker in their files or tables.
    pub(super) async fn holding(&self) -> BTreeSet<String> {
        match &self.url {
            None => {
                self.files().filter(|(_, file)| holds_marker(file)).map(|(name, _)| name.to_owned()).collect()
            }
            Some(url) => tables_with_marker(url).await,
        }
    }

    /// Who has the only erasure there is, if anybody has it.
    pub(super) async fn lease(&self) -> Option<Lease> {
        let held = |fence: &str, erasures: &str| {
            let row = format!("SELECT {fence} || ' ' || next_attempt_time FROM {erasures}");
            AssertSqlSafe(format!("{row} WHERE fence IS NOT NULL"))
        };
        let found: Option<String> = match &self.url {
            None => {
                let file = self.folder.join("contacts.db");
                let mut connection = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
                let found = sqlx::query_scalar(held("hex(fence)", "erasures"))
                    .fetch_optional(&mut connection)
                    .await
                    .unwrap();
                connection.close().await.unwrap();
                found
            }
            Some(url) => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                sqlx::query_scalar(held("fence::text", "contacts.erasures"))
                    .fetch_optional(&mut connection)
                    .await
                    .unwrap()
            }
        };
        found.map(|found| {
            let (fence, until) = found.split_once(' ').unwrap();
            Lease { fence: fence.to_owned(), until: until.parse().unwrap() }
        })
    }
}

/// Whether a byte of the person is in the file of a database, or in its log.
fn holds_marker(file: &Path) -> bool {
    [file.to_owned(), file.with_extension("db-wal")].iter().any(|file| {
        let bytes = std::fs::read(file).unwrap_or_default().to_ascii_lowercase();
        bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes())
    })
}

/// The services with a row that names the person in a table, be it in bytes.
#[expect(
    clippy::disallowed_methods,
    reason = "looks into tables of all services and tenants, as no service can"
)]
async fn tables_with_marker(url: &str) -> BTreeSet<String> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_schema::text, table_name::text FROM information_schema.tables
         WHERE table_schema IN ('contacts', 'routing', 'notes', 'notifications') AND table_type = 'BASE TABLE'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(tables.len() > 60, "{}", tables.len());
    let hex: String = MARKER.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut holding = BTreeSet::new();
    for (schema, table) in tables {
        let sql = format!(
            "SELECT COUNT(*) FROM {schema}.{table} t WHERE t::text ILIKE '%{MARKER}%' OR t::text LIKE '%{hex}%'"
        );
        let found: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        if found > 0 {
            holding.insert(schema);
        }
    }
    holding
}
