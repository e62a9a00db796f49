//! Callers who go away (faults: a client cancels in begin or commit).

use crate::ledger::{MIGRATIONS, enter, read_names};
use db::test_support::{TestDb, org};
use db::{Db, DbError, Engine, Target, both_databases};
use rand::Rng;
use sqlx::postgres::PgArguments;
use sqlx::{Connection, PgConnection};
use std::time::{Duration, Instant};

/// How often callers go away; `BACKCHANNEL_CANCELS=10000` for the long run.
fn cancels() -> usize {
    std::env::var("BACKCHANNEL_CANCELS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000)
}

/// Two rows in one transaction, so that half of one is seen.
async fn enter_pair(db: &Db, name: String) -> Result<(), DbError> {
    db.write(&org("acme"), move |tx| {
        Box::pin(async move {
            enter(tx, &format!("{name}/1"), 1).await?;
            enter(tx, &format!("{name}/2"), 1).await?;
            Ok(())
        })
    })
    .await
}

/// Writes pairs and goes away from most of them after a random time; gives the names of those that were answered.
async fn restless(db: Db, worker: usize, cancels: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for n in 0..cancels {
        let name = format!("{worker}-{n:05}");
        let patience = Duration::from_micros(rand::rng().random_range(0..4_000));
        if let Ok(Ok(())) = tokio::time::timeout(patience, enter_pair(&db, name.clone())).await {
            acknowledged.push(name);
        }
        // A patient call in between meets whatever the impatient ones left behind.
        if n % 4 == 0 {
            let name = format!("{worker}-{n:05}-patient");
            enter_pair(&db, name.clone()).await.unwrap();
            acknowledged.push(name);
        }
    }
    acknowledged
}

/// Opens the same data with few connections, so that each is used again at once.
async fn with_few_connections(db: &TestDb) -> Db {
    let target = match db.target.clone() {
        Target::Postgres { url, schema, .. } => Target::Postgres { url, schema, connections: 3 },
        sqlite @ Target::Sqlite { .. } => sqlite,
    };
    Db::open(target, &MIGRATIONS, db.clock.clone()).await.unwrap()
}

/// Connections of this test that stay inside a transaction though nobody works in them. Asked as the login role, since
/// the serving role is not shown what other sessions do.
async fn idle_in_transaction(db: &TestDb) -> i64 {
    const SQL: &str = "SELECT COUNT(*) FROM pg_stat_activity
                       WHERE application_name = $1 AND state LIKE 'idle in transaction%'";
    let Target::Postgres { url, schema, .. } = &db.target else { return 0 };
    let mut conn = PgConnection::connect(url).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        let (idle,): (i64,) = sqlx::query_as_with(SQL, PgArguments::default())
            .bind(format!("backchannel-{schema}"))
            .fetch_one(&mut conn)
            .await
            .unwrap();
        // Work that was accepted is between two statements now and then, never for long.
        if idle == 0 || Instant::now() > deadline {
            return idle;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

both_databases!(
    callers_who_go_away_lose_nothing_and_leave_no_transaction_open,
    MIGRATIONS,
    |db| async move {
        let few = with_few_connections(&db).await;
        let workers: Vec<_> =
            (0..8).map(|worker| tokio::spawn(restless(few.clone(), worker, cancels().div_ceil(8)))).collect();
        let mut acknowledged = Vec::new();
        for worker in workers {
            acknowledged.extend(worker.await.unwrap());
        }
        assert_eq!(idle_in_transaction(&db).await, 0, "connections left inside a transaction");
        few.close().await;

        let names = read_names(&db, &org("acme")).await;
        let stored: std::collections::HashSet<_> = names.iter().map(String::as_str).collect();
        let lost = acknowledged.iter().filter(|name| !stored.contains(format!("{name}/1").as_str())).count();
        let halves = names
            .iter()
            .filter(|name| {
                let (pair, half) = name.rsplit_once('/').unwrap();
                !stored.contains(format!("{pair}/{}", if half == "1" { 2 } else { 1 }).as_str())
            })
            .count();
        assert_eq!((lost, halves), (0, 0), "of {} acknowledged writes", acknowledged.len());
        eprintln!(
            "{} cancels at most, {} acknowledged, {} stored",
            cancels(),
            acknowledged.len(),
            names.len() / 2
        );
    }
);

both_databases!(readers_who_go_away_cost_no_connection, MIGRATIONS, |db| async move {
    let few = with_few_connections(&db).await;
    for _ in 0..200 {
        let patience = Duration::from_micros(rand::rng().random_range(0..1_000));
        let _ = tokio::time::timeout(patience, read_names(&few, &org("acme"))).await;
    }
    assert_eq!(idle_in_transaction(&db).await, 0, "connections left inside a transaction");
    enter_pair(&few, "a".to_owned()).await.unwrap();
    assert_eq!(read_names(&few, &org("acme")).await.len(), 2);
    few.close().await;
});

both_databases!(accepted_work_is_done_though_its_caller_is_gone, MIGRATIONS, |db| async move {
    let (begun, mut begins) = tokio::sync::mpsc::channel(1);
    let caller = {
        let db = db.db.clone();
        tokio::spawn(async move {
            db.write::<_, DbError, _>(&org("acme"), move |tx| {
                Box::pin(async move {
                    let _ = begun.send(()).await;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    enter(tx, "a", 1).await
                })
            })
            .await
        })
    };
    begins.recv().await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    assert_eq!(idle_in_transaction(&db).await, 0, "a connection left inside a transaction");
    // On SQLite this waits its turn behind the work; on PostgreSQL it takes longer than the work does.
    tokio::time::sleep(Duration::from_millis(if db.engine() == Engine::Postgres { 300 } else { 50 })).await;
    assert_eq!(read_names(&db, &org("acme")).await, ["a"]);
});
