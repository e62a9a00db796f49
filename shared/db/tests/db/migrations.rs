//! Bringing a database to the form the program needs.

use crate::ledger::{LEDGER, MIGRATIONS, enter, read_names};
use db::test_support::{TestDb, org};
use db::{Db, DbError, MigrationSet, Migrations, Step, both_databases};

const CHANGED: Step = Step { name: "0001_ledger", sqlite: "SELECT 1", postgres: "SELECT 1" };
static CHANGED_SET: MigrationSet = MigrationSet { name: "ledger", steps: &[CHANGED], work_tables: &[] };
static CHANGED_ALL: Migrations = Migrations { sets: &[&CHANGED_SET] };

const OPEN_TABLE: Step = Step {
    name: "0001_open",
    sqlite: "CREATE TABLE open (a TEXT) STRICT",
    postgres: "CREATE TABLE open (a TEXT)",
};
static OPEN_SET: MigrationSet = MigrationSet { name: "open", steps: &[OPEN_TABLE], work_tables: &[] };
static OPEN_ALL: Migrations = Migrations { sets: &[&LEDGER, &OPEN_SET] };

const BROKEN: Step = Step {
    name: "0001_broken",
    sqlite: "CREATE TABLE half (org_id TEXT) STRICT; CREATE NONSENSE",
    postgres: "CREATE TABLE half (org_id TEXT); CREATE NONSENSE",
};
static BROKEN_SET: MigrationSet = MigrationSet { name: "broken", steps: &[BROKEN], work_tables: &[] };
static BROKEN_ALL: Migrations = Migrations { sets: &[&LEDGER, &BROKEN_SET] };

async fn open(db: &TestDb, migrations: &Migrations) -> Result<Db, DbError> {
    Db::open(db.target.clone(), migrations, db.clock.clone()).await
}

async fn refusal(db: &TestDb, migrations: &Migrations) -> String {
    let error = open(db, migrations).await.unwrap_err();
    assert!(matches!(error, DbError::Migration(_)), "{error:?}");
    error.to_string()
}

both_databases!(data_outlives_opening_again, MIGRATIONS, |db| async move {
    db.write(&org("acme"), |tx| Box::pin(async move { enter(tx, "a", 1).await })).await.unwrap();
    db.close().await;
    let again = open(&db, &MIGRATIONS).await.unwrap();
    assert_eq!(read_names(&again, &org("acme")).await, ["a"]);
    again.close().await;
});

both_databases!(replicas_that_start_together_migrate_once, Migrations { sets: &[] }, |db| async move {
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { open(&db, &MIGRATIONS).await })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap().close().await;
    }
});

both_databases!(a_released_step_with_another_text_is_refused, MIGRATIONS, |db| async move {
    let why = refusal(&db, &CHANGED_ALL).await;
    assert!(why.contains("ledger/0001_ledger was run with another text"), "{why}");
});

both_databases!(a_table_without_the_organization_is_refused, MIGRATIONS, |db| async move {
    let why = refusal(&db, &OPEN_ALL).await;
    assert!(why.contains("table open"), "{why}");
});

both_databases!(a_step_that_fails_leaves_nothing_behind, MIGRATIONS, |db| async move {
    for _ in 0..2 {
        let why = refusal(&db, &BROKEN_ALL).await;
        assert!(why.contains("broken/0001_broken") && why.contains("syntax"), "{why}");
    }
    open(&db, &MIGRATIONS).await.unwrap().close().await;
});

// G8
both_databases!(
    who_only_looks_is_told_what_is_due_and_changes_nothing,
    Migrations { sets: &[] },
    |db| async move {
        let look = async || db::inspect(&db.target, &MIGRATIONS).await.unwrap();
        let before = look().await;
        assert!(before.supported && !before.due.is_empty(), "{before:?}");
        assert_eq!(look().await.due, before.due);
        open(&db, &MIGRATIONS).await.unwrap().close().await;
        let after = look().await;
        assert!(after.made && after.due.is_empty() && after.engine.contains(' '), "{after:?}");
        let refused = db::inspect(&db.target, &CHANGED_ALL).await.unwrap_err();
        assert!(matches!(refused, DbError::Migration(_)), "{refused:?}");
    }
);
