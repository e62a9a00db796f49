//! A small service's tables, for the tests of this crate: entries in a ledger, and jobs every tenant's sweep sees.

use db::{DbError, MigrationSet, Migrations, RequestIdReused, Step, Tx};

pub(crate) static LEDGER: MigrationSet = MigrationSet {
    name: "ledger",
    steps: &[Step {
        name: "0001_ledger",
        sqlite: "CREATE TABLE entries (org_id TEXT NOT NULL, name TEXT NOT NULL, amount INTEGER NOT NULL,
                     CONSTRAINT amount_is_positive CHECK (amount > 0), PRIMARY KEY (org_id, name)) STRICT;
                 CREATE TABLE lines (org_id TEXT NOT NULL, line_id INTEGER NOT NULL, entry TEXT NOT NULL,
                     PRIMARY KEY (org_id, line_id), FOREIGN KEY (org_id, entry) REFERENCES entries) STRICT;
                 CREATE UNIQUE INDEX lines_by_entry ON lines (org_id, lower(entry));
                 CREATE TABLE jobs (org_id TEXT NOT NULL, job TEXT NOT NULL, PRIMARY KEY (org_id, job)) STRICT;
                 CREATE TABLE kinds (org_id TEXT NOT NULL, id BLOB NOT NULL, at INTEGER NOT NULL, yes INTEGER NOT NULL,
                     small INTEGER NOT NULL, bytes BLOB NOT NULL, json TEXT NOT NULL, text TEXT, status TEXT NOT NULL,
                     PRIMARY KEY (org_id, id)) STRICT;",
        postgres: "CREATE TABLE entries (org_id TEXT NOT NULL, name TEXT NOT NULL, amount BIGINT NOT NULL,
                     CONSTRAINT amount_is_positive CHECK (amount > 0), PRIMARY KEY (org_id, name));
                 CREATE TABLE lines (org_id TEXT NOT NULL, line_id BIGINT NOT NULL, entry TEXT NOT NULL,
                     PRIMARY KEY (org_id, line_id), FOREIGN KEY (org_id, entry) REFERENCES entries);
                 CREATE UNIQUE INDEX lines_by_entry ON lines (org_id, lower(entry));
                 CREATE TABLE jobs (org_id TEXT NOT NULL, job TEXT NOT NULL, PRIMARY KEY (org_id, job));
                 CREATE TABLE kinds (org_id TEXT NOT NULL, id UUID NOT NULL, at BIGINT NOT NULL, yes BOOLEAN NOT NULL,
                     small INTEGER NOT NULL, bytes BYTEA NOT NULL, json JSONB NOT NULL, text TEXT, status TEXT NOT NULL,
                     PRIMARY KEY (org_id, id));",
    }],
    work_tables: &["jobs"],
};

pub(crate) static MIGRATIONS: Migrations = Migrations { sets: &[&db::RETRY_KEYS, &LEDGER] };

/// What a service's error enum looks like to this crate.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum LedgerError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Reused(#[from] RequestIdReused),
    #[error("declined")]
    Declined,
}

pub(crate) async fn enter(tx: &mut Tx, name: &str, amount: i64) -> Result<u64, DbError> {
    tx.query("INSERT INTO entries (org_id, name, amount) VALUES ($1, $2, $3)")
        .bind(name)
        .bind(amount)
        .execute(tx)
        .await
}

pub(crate) async fn names(tx: &mut Tx) -> Result<Vec<String>, DbError> {
    tx.query("SELECT name FROM entries WHERE org_id = $1 ORDER BY name").fetch_values(tx).await
}

/// The names an organization's entries have, as any other caller sees them.
pub(crate) async fn read_names(db: &db::Db, org: &kernel::OrgId) -> Vec<String> {
    db.read(org, |tx| Box::pin(names(tx))).await.unwrap()
}
