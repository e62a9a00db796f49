//! What a commit waits for before it is answered.

use crate::ledger::MIGRATIONS;
use db::{Db, DbError, Engine, Tx, both_databases};

const CALLERS: usize = 32;
const EACH: usize = 10;

/// What the commit of this very transaction waits for.
async fn waits_for_the_disk(tx: &mut Tx) -> Result<bool, DbError> {
    match tx.engine() {
        // 1 is NORMAL: only what copies the log into the file syncs. 2 is FULL: so does every commit.
        Engine::Sqlite => Ok(tx.query("PRAGMA synchronous").fetch_value::<i64>(tx).await? == 2),
        Engine::Postgres => Ok(tx.query("SHOW synchronous_commit").fetch_value::<String>(tx).await? == "on"),
    }
}

async fn durable(db: &Db) -> bool {
    db.write_system::<_, DbError, _>(|tx| Box::pin(waits_for_the_disk(tx))).await.unwrap()
}

async fn relaxed(db: &Db) -> bool {
    db.write_system_relaxed::<_, DbError, _>(|tx| Box::pin(waits_for_the_disk(tx))).await.unwrap()
}

both_databases!(bookkeeping_waits_for_no_disk_and_everything_else_does, MIGRATIONS, |db| async move {
    for _ in 0..3 {
        assert!(durable(&db).await);
        assert!(!relaxed(&db).await);
        assert!(!relaxed(&db).await);
    }
    assert!(durable(&db).await);
});

both_databases!(who_has_to_be_durable_is_so_in_whatever_company, MIGRATIONS, |db| async move {
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let db = db.db.clone();
            tokio::spawn(async move {
                for n in 0..EACH {
                    if (caller + n) % 2 == 0 {
                        assert!(durable(&db).await, "acknowledged before it was on the disk");
                    } else {
                        relaxed(&db).await;
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(!relaxed(&db).await, "and bookkeeping alone goes on without");
});
