//! How fast durable writes are on SQLite: one commit for each write against group commit, beside the disk's own rate of
//! syncs, all in one run. `cargo bench -p db --bench commit`; `BACKCHANNEL_BENCH_DIR` chooses the disk.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at what it did not expect and prints"
)]

use db::{Db, DbError, MigrationSet, Migrations, Step, Target};
use kernel::{Clock, OrgId};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Arguments, Connection, SqliteConnection};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

const SPAN: Duration = Duration::from_secs(4);
const CALLERS: usize = 64;
/// About the size of a note.
const BODY: &str = "The customer asks for a refund of the second parcel, which arrived damaged; photos are attached. \
                    We promised an answer by Thursday. @ben please look at the carrier's report before we pay.";

const INSERT: &str = "INSERT INTO notes (org_id, note_id, body, create_time) VALUES ($1, $2, $3, $4)";
const NOTES: Step = Step {
    name: "0001_notes",
    sqlite: "CREATE TABLE notes (org_id TEXT NOT NULL, note_id BLOB NOT NULL, body TEXT NOT NULL, create_time INTEGER NOT NULL,
             PRIMARY KEY (org_id, note_id)) STRICT, WITHOUT ROWID",
    postgres: "",
};
static SET: MigrationSet = MigrationSet { name: "notes", steps: &[NOTES], work_tables: &[] };
static MIGRATIONS: Migrations = Migrations { sets: &[&SET] };

fn main() {
    let folder = tempfile::tempdir_in(
        std::env::var_os("BACKCHANNEL_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from),
    );
    let folder = folder.unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let syncs = syncs_per_second(folder.path());
    let alone = runtime.block_on(writes_per_second(folder.path().join("alone.db"), 1));
    let each = runtime.block_on(commits_per_second(folder.path().join("each.db")));
    let many = runtime.block_on(writes_per_second(folder.path().join("many.db"), CALLERS));
    println!("fsync of the disk           {syncs:>10.0} /s");
    println!("one commit each, 1 caller   {alone:>10.0} /s   {:.2} of the disk's syncs", alone / syncs);
    println!("one commit each, {CALLERS} callers {each:>10.0} /s   {:.2} of the disk's syncs", each / syncs);
    println!("group commit, {CALLERS} callers    {many:>10.0} /s   {:.2} times one commit each", many / each);
    assert!(many >= 2.0 * alone.max(each), "group commit must at least double the rate");
}

/// Appends a page and syncs, again and again, as a log does.
fn syncs_per_second(folder: &Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("syncs")).unwrap();
    let (started, mut syncs) = (Instant::now(), 0_u32);
    while started.elapsed() < SPAN / 2 {
        file.write_all(&[1; 4096]).unwrap();
        file.sync_data().unwrap();
        syncs += 1;
    }
    f64::from(syncs) / started.elapsed().as_secs_f64()
}

async fn writes_per_second(path: PathBuf, callers: usize) -> f64 {
    let db = Db::open(Target::sqlite(path), &MIGRATIONS, Clock::system()).await.unwrap();
    let written = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let (db, written) = (db.clone(), Arc::clone(&written));
            tokio::spawn(async move {
                let org = OrgId::parse("acme").unwrap();
                while started.elapsed() < SPAN {
                    db.write::<_, DbError, _>(&org, |tx| Box::pin(note(tx))).await.unwrap();
                    written.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let rate = written.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    db.close().await;
    rate
}

/// The same rows and settings without this crate: callers take turns on one connection, each with its own commit.
async fn commits_per_second(path: PathBuf) -> f64 {
    Db::open(Target::sqlite(&path), &MIGRATIONS, Clock::system()).await.unwrap().close().await;
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let conn = Arc::new(Mutex::new(SqliteConnection::connect_with(&options).await.unwrap()));
    let written = Arc::new(AtomicU64::new(0));
    let (started, clock) = (Instant::now(), Clock::system());
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (conn, written, clock) = (Arc::clone(&conn), Arc::clone(&written), clock.clone());
            tokio::spawn(async move {
                while started.elapsed() < SPAN {
                    let mut conn = conn.lock().await;
                    run(&mut conn, "BEGIN IMMEDIATE", SqliteArguments::default()).await;
                    let mut values = SqliteArguments::default();
                    values.add("acme").unwrap();
                    values.add(clock.new_id()).unwrap();
                    values.add(BODY).unwrap();
                    values.add(clock.now()).unwrap();
                    run(&mut conn, INSERT, values).await;
                    run(&mut conn, "COMMIT", SqliteArguments::default()).await;
                    written.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    written.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

async fn run(conn: &mut SqliteConnection, sql: &'static str, values: SqliteArguments) {
    sqlx::query_with(sql, values).execute(conn).await.unwrap();
}

async fn note(tx: &mut db::Tx) -> Result<u64, DbError> {
    let (id, now) = (tx.clock().new_id(), tx.clock().now());
    tx.query(INSERT).bind(id).bind(BODY).bind(now).execute(tx).await
}
