//! SQLite: one writer that commits for many callers at once, and a pool of readers that never wait for it.

mod group;
mod lock;
mod writer;

use crate::connections::{Connections, PATIENCE};
use crate::job::Job;
use crate::migrate::{self, Migrations};
use crate::opening;
use crate::tx::Conn;
use crate::work::{End, SQLITE_MOST};
use crate::{DbError, Tx};
use futures::future::BoxFuture;
use kernel::Clock;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Jobs that may wait for the writer; further callers wait before their work is accepted.
const QUEUE: usize = 1024;
/// How long a statement waits for another process that holds the file.
const BUSY: Duration = Duration::from_secs(1);
/// The log is cut back to this after a checkpoint; a long read may let it grow beyond.
const LOG_BYTES: &str = "67108864";
/// Pages a connection keeps in memory, in KiB with a minus: the upper levels of large tables. Only what was read is kept.
const CACHE: &str = "-8192";

/// A SQLite file in service.
pub(crate) struct Sqlite {
    jobs: mpsc::Sender<Job>,
    readers: Connections<sqlx::Sqlite>,
    clock: Clock,
    tasks: TaskTracker,
    closing: CancellationToken,
    /// Held while the file is open.
    lock: Mutex<Option<lock::Lock>>,
}

impl Sqlite {
    pub(crate) async fn open(
        path: PathBuf,
        readers: u32,
        migrations: &Migrations,
        clock: Clock,
    ) -> Result<Self, DbError> {
        if let Some(folder) = path.parent() {
            let failed = |error| DbError::Unusable(format!("the folder {}: {error}", folder.display()));
            tokio::fs::create_dir_all(folder).await.map_err(failed)?;
        }
        let lock = Mutex::new(Some(lock::Lock::take(&path)?));
        // Whatever is wrong with the place, opening the file names it.
        let _ = make(&path);
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let options = writing(&path);
        let mut conn = SqliteConnection::connect_with(&options).await.map_err(opening::sqlite(&path))?;
        // A file that may only be read shows as soon as somebody writes: the beginning alone is a reader's there.
        sqlx::raw_sql("BEGIN IMMEDIATE; CREATE TABLE written (it INTEGER); ROLLBACK")
            .execute(&mut conn)
            .await
            .map_err(opening::sqlite(&path))?;
        migrate::sqlite(&mut conn, migrations, &clock).await?;

        let (jobs, queue) = mpsc::channel(QUEUE);
        let (tasks, closing) = (TaskTracker::new(), CancellationToken::new());
        let writer =
            writer::Writer::new(conn, options.clone(), queue, closing.clone(), clock.clone(), name.clone());
        tasks.spawn(writer.run());

        let readers = SqlitePoolOptions::new()
            .max_connections(readers.max(1))
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options.create_if_missing(false).pragma("query_only", "ON"));
        let readers = Connections::new(readers, name);
        Ok(Self { jobs, readers, clock, tasks, closing, lock })
    }

    /// Hands work to the writer, which answers it.
    pub(crate) fn write(&self, job: Job) -> BoxFuture<'_, Result<(), DbError>> {
        Box::pin(async move { self.jobs.send(job).await.map_err(|_| DbError::Closed) })
    }

    /// Reads in a task of its own, so that a caller who goes away does not cost a connection.
    pub(crate) fn read(&self, job: Job) {
        let read = read(self.readers.clone(), self.clock.clone(), job);
        self.tasks.spawn(Box::pin(read).in_current_span());
    }

    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.readers.close().await;
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

async fn read(readers: Connections<sqlx::Sqlite>, clock: Clock, job: Job) {
    let mut session = match readers.take().await {
        Ok(session) => session,
        Err(error) => return job.refuse(error.into()),
    };
    session.begin_with_first("BEGIN");
    let mut tx = Tx::new(Conn::Reader(session), job.scope.clone(), clock, Default::default());
    let done = job.run(&mut tx, SQLITE_MOST).await;
    let broken = done.end == End::Broken;
    // Nothing was written, so the answer need not wait for the end.
    done.answer_read();
    if let Conn::Reader(mut session) = tx.conn
        && !broken
    {
        // If this fails the connection is closed, which ends the transaction as well.
        let _ = session.end("ROLLBACK").await;
    }
}

/// Makes the file for its owner only, if it is not there: others may be let into the folder. SQLite gives the files beside it
/// the same permissions.
fn make(path: &Path) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map(drop)
}

/// The connection that writes: every commit is on the disk before it is acknowledged, unless its group says otherwise.
fn writing(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .statement_cache_capacity(256)
        .pragma("journal_size_limit", LOG_BYTES)
        .pragma("cache_size", CACHE)
        .thread_name(|id| format!("sqlite-{id}"))
}
