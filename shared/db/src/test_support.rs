//! Databases for tests: each test on both, on tables of its own, gone afterwards.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "only tests run this, and a test stops at what it did not expect"
)]

use crate::{Db, Engine, Migrations, Target};
use futures::FutureExt;
use kernel::{Clock, Hand, OrgId, Timestamp};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::path::Path;

/// Where tests find PostgreSQL: an address whose role may make schemas and roles.
pub const POSTGRES: &str = "BACKCHANNEL_TEST_POSTGRES";

/// A database of one test. It is a [`Db`] and also holds the hand of its clock.
#[derive(Debug, Clone)]
pub struct TestDb {
    /// The database.
    pub db: Db,
    /// Its clock, a fake one.
    pub clock: Clock,
    /// Moves the clock.
    pub hand: Hand,
    /// Where it is, for tests that look from outside or open it again.
    pub target: Target,
}

impl Deref for TestDb {
    type Target = Db;
    fn deref(&self) -> &Db {
        &self.db
    }
}

/// An organization for tests.
pub fn org(name: &str) -> OrgId {
    OrgId::parse(name).expect("tests name organizations by slugs")
}

/// Runs the test on a fresh database, on a runtime with two threads, and removes the database afterwards.
///
/// # Panics
/// When the test does, and when there is no PostgreSQL: a test that is not run is not a test that passes.
pub fn run<F, R>(engine: Engine, migrations: &'static Migrations, test: F)
where
    F: FnOnce(TestDb) -> R,
    R: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                on(Target::sqlite(folder.path().join("test.db")), migrations, test).await;
            }
            Engine::Postgres => {
                let url = postgres_url();
                let schema = format!("test_{}", Clock::system().new_id().simple());
                let ended = AssertUnwindSafe(on(Target::postgres(&url, &schema), migrations, test))
                    .catch_unwind()
                    .await;
                drop_schema(&url, &schema).await;
                if let Err(panic) = ended {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    });
}

/// The address of the PostgreSQL for tests.
///
/// # Panics
/// When none is given.
pub fn postgres_url() -> String {
    std::env::var(POSTGRES).unwrap_or_else(|_| {
        panic!("{POSTGRES} is not set: run tests/run, which starts a PostgreSQL, or set it to postgres://role@host:port/db")
    })
}

/// Opens a second database on the same data with its own connections, as another replica would.
///
/// # Panics
/// When it cannot be opened.
pub async fn replica(of: &TestDb, migrations: &Migrations) -> Db {
    Db::open(of.target.clone(), migrations, of.clock.clone())
        .await
        .expect("a second process opens the database")
}

/// The file of a SQLite database.
pub fn file(of: &TestDb) -> Option<&Path> {
    match &of.target {
        Target::Sqlite { path, .. } => Some(path),
        Target::Postgres { .. } => None,
    }
}

async fn on<F, R>(target: Target, migrations: &Migrations, test: F)
where
    F: FnOnce(TestDb) -> R,
    R: Future<Output = ()>,
{
    // 2026-01-01T00:00:00Z, so that a test's times can be read.
    let (clock, hand) = Clock::fake(Timestamp::from_micros(1_767_225_600_000_000));
    let db = Db::open(target.clone(), migrations, clock.clone()).await.expect("the database opens");
    test(TestDb { db: db.clone(), clock, hand, target }).await;
    db.close().await;
}

async fn drop_schema(url: &str, schema: &str) {
    let mut conn = PgConnection::connect(url).await.expect("PostgreSQL is there");
    let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.expect("the test's schema is dropped");
}

/// Two tests of one body, `name::sqlite` and `name::postgres`:
/// `both_databases!(a_note_is_found, MIGRATIONS, |db| async move { .. });`
#[macro_export]
macro_rules! both_databases {
    ($(#[$attribute:meta])* $name:ident, $migrations:expr, $test:expr $(,)?) => {
        mod $name {
            use super::*;

            $(#[$attribute])*
            #[test]
            fn sqlite() {
                $crate::test_support::run($crate::Engine::Sqlite, &$migrations, $test);
            }

            $(#[$attribute])*
            #[test]
            fn postgres() {
                $crate::test_support::run($crate::Engine::Postgres, &$migrations, $test);
            }
        }
    };
}
