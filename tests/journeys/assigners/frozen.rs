//! A process is stopped in the middle of a batch, as a machine under memory pressure or a paused container is, and goes on when the
//! others have long done its work. Finding its connections is the way of Linux.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, PgConnection, raw_sql};

use super::figure;
use super::replicas::{Replicas, are_strict_turns};
use super::witness::Witness;
use crate::cast::{route, team};
use crate::processes::Process;
use crate::world::ORG;

/// Conversations that wait when the assigners may begin: in batches of three, enough of these to be stopped in one.
const WAITING: usize = 60;
const BATCH: &str = "3";

/// How long nothing may be given out because of one that is frozen.
const STUCK: Duration = Duration::from_secs(35);

/// The transaction that a process holds a team's queue with, when it has written already: its number.
const HOLDS: &str = "SELECT a.backend_xid::text FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
     WHERE l.locktype = 'advisory' AND l.granted AND a.backend_xid IS NOT NULL AND a.state = 'idle in transaction'
         AND a.client_port = ANY($1)";

// Faults 9
#[test]
fn an_assigner_that_is_frozen_in_a_batch_stops_nobody_and_writes_nothing_later() {
    testkit::run(async {
        let settings =
            [("BACKCHANNEL_ROUTING__ASSIGN_BATCH", BATCH), ("BACKCHANNEL_ROUTING__SWEEP_MS", "50")];
        let mut replicas = Replicas::alike(2, &settings).await;
        let team = team(&replicas.world, "flights", &["ana", "ben", "cem"]).await;
        route(&replicas.world, "airline", &team.team_id, vec![]).await;
        let (mut tables, mut witness) = (replicas.tables().await, Witness::of(&replicas).await);
        let mut round = 0;
        for _ in 0..figure(2, 200) {
            let transaction = loop {
                round += 1;
                hold(&mut tables, &team.team_id).await;
                replicas.customers_write(&[0], &["airline"], &format!("r{round}"), WAITING).await;
                raw_sql("ROLLBACK").execute(&mut tables).await.unwrap();
                if let Some(transaction) = freeze_in_a_batch(replicas.process(1), &mut tables).await {
                    break transaction;
                }
                witness.nothing_waits().await;
            };
            let begun = Instant::now();
            witness.nothing_waits().await;
            assert!(begun.elapsed() < STUCK, "they waited for {:?}", begun.elapsed());
            assert_eq!(fate(&mut tables, &transaction).await, "aborted", "before it goes on");
            let rest = Duration::from_secs(figure(0, 60) as u64).saturating_sub(begun.elapsed());
            tokio::time::sleep(rest).await;
            replicas.process(1).thaw().await;
            // It serves again, on new connections.
            replicas.customers_write(&[1], &["airline"], &format!("after-r{round}"), 3).await;
            witness.nothing_waits().await;
            assert_eq!(fate(&mut tables, &transaction).await, "aborted", "and after it went on");
            let recorded = witness.number("SELECT COUNT(*) FROM routing.conversations").await;
            witness.each_was_given_once(usize::try_from(recorded).unwrap()).await;
            are_strict_turns(&witness.turns(&team.team_id).await, 3);
        }
        witness.done().await;
        replicas.stop().await;
    });
}

/// Keeps every assigner from a team's queue, as one more of them would, until the transaction ends.
async fn hold(tables: &mut PgConnection, team_id: &str) {
    let lock = format!("SELECT pg_advisory_xact_lock(hashtextextended('routing {ORG} {team_id}', 0))");
    raw_sql(AssertSqlSafe(format!("BEGIN; {lock}"))).execute(tables).await.unwrap();
}

/// Stops the process again and again until that is in the middle of a batch, and leaves it so; `None`, and it goes on, when nothing
/// waits any more.
async fn freeze_in_a_batch(process: &Process, tables: &mut PgConnection) -> Option<String> {
    for attempt in 0.. {
        process.freeze().await;
        let held = held_by(process, tables).await;
        if held.is_some() {
            return held;
        }
        process.thaw().await;
        let waiting = sqlx::query_scalar("SELECT COUNT(*) FROM routing.queue").fetch_one(&mut *tables).await;
        if waiting.unwrap_or(0_i64) == 0 {
            break;
        }
        // Another moment of a batch each time.
        tokio::time::sleep(Duration::from_millis(attempt * 7 % 40)).await;
    }
    None
}

/// The transaction in which a frozen process holds a queue, if it does, once the database has done what it was asked for before.
async fn held_by(process: &Process, tables: &mut PgConnection) -> Option<String> {
    let ports = ports_of(process.id());
    let mut before = None;
    for _ in 0..5 {
        let held = sqlx::query_scalar(HOLDS).bind(&ports).fetch_optional(&mut *tables).await.unwrap();
        if held.is_some() && held == before {
            return held;
        }
        before = held;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    None
}

/// What became of a transaction: `in progress`, `committed` or `aborted`.
async fn fate(tables: &mut PgConnection, transaction: &str) -> String {
    sqlx::query_scalar("SELECT pg_xact_status($1::xid8)").bind(transaction).fetch_one(tables).await.unwrap()
}

/// The local ports of a process's connections.
fn ports_of(process: u32) -> Vec<i32> {
    let open = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let open: HashSet<String> = open
        .filter_map(|file| std::fs::read_link(file.ok()?.path()).ok()?.to_str().map(str::to_owned))
        .collect();
    let connections = std::fs::read_to_string(format!("/proc/{process}/net/tcp")).unwrap();
    let port = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let socket = format!("socket:[{}]", columns.get(9)?);
        let (_, port) = columns.get(1)?.rsplit_once(':')?;
        open.contains(&socket).then(|| i32::from_str_radix(port, 16).ok())?
    };
    connections.lines().filter_map(port).collect()
}
