//! A PostgreSQL database of its own for each test.

use std::str::FromStr;
use std::time::Duration;

use kernel::Clock;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

/// A new, empty database. It is dropped with this value.
#[derive(Debug)]
pub struct PostgresDatabase {
    name: String,
    admin: PgConnectOptions,
}

impl PostgresDatabase {
    /// Makes a database on the server of `BACKCHANNEL_TEST_POSTGRES`.
    ///
    /// # Panics
    /// Without that variable: a test that silently passes without a database proves nothing.
    pub async fn create() -> Self {
        let admin = PgConnectOptions::from_str(&db::test_support::postgres_url())
            .expect("the variable holds a postgres:// address");
        let name = format!("test_{}", Clock::system().new_id().simple());
        execute(&admin, format!("CREATE DATABASE {name}")).await;
        PostgresDatabase { name, admin }
    }

    /// The database goes away: its connections end, and it takes no new ones.
    pub async fn go_away(&self) {
        let name = &self.name;
        execute(&self.admin, format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        execute(&self.admin, end.clone()).await;
        // One that was on its way in is not in the view yet.
        tokio::time::sleep(Duration::from_millis(200)).await;
        execute(&self.admin, end).await;
    }

    /// It is there again.
    pub async fn come_back(&self) {
        execute(&self.admin, format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)).await;
    }

    /// The address of the database.
    pub fn url(&self) -> String {
        self.admin.clone().database(&self.name).to_url_lossy().to_string()
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let (admin, drop_it) =
            (self.admin.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        // A thread, as a test's own runtime may be ending; joined, or the process ends before the drop.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a thread for clearing up").block_on(execute(&admin, drop_it));
        });
        let failed = dropped.join().is_err();
        assert!(!failed || std::thread::panicking(), "database {} could not be dropped", self.name);
    }
}

async fn execute(admin: &PgConnectOptions, sql: String) {
    let mut connection = admin.connect().await.expect("the PostgreSQL for tests answers");
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("databases can be made, changed and dropped");
    connection.close().await.expect("the connection closes");
}
