//! The task that owns the only writing connection.

use super::group::{Group, Taken};
use crate::job::Job;
use crate::tx::{Conn, Scope};
use crate::work::Durability;
use crate::{DbError, Tx};
use kernel::Clock;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The most jobs in one commit, and the longest a commit is put off for more of them.
const JOBS: usize = 256;
const WORK: Duration = Duration::from_millis(10);

pub(super) struct Writer {
    /// `None` after a failure that left its state unknown: the next group opens another.
    tx: Option<Tx>,
    options: SqliteConnectOptions,
    queue: mpsc::Receiver<Job>,
    closing: CancellationToken,
    clock: Clock,
    name: String,
    /// Several callers wrote at once a moment ago.
    busy: bool,
    /// What the connection's commits wait for; `None` where that is not known.
    durability: Option<Durability>,
    /// Has to be durable and came while a commit was prepared that is not: it begins the next one.
    held: Option<Job>,
}

impl Writer {
    pub(super) fn new(
        conn: SqliteConnection,
        options: SqliteConnectOptions,
        queue: mpsc::Receiver<Job>,
        closing: CancellationToken,
        clock: Clock,
        name: String,
    ) -> Self {
        let tx = Some(Self::tx(conn, &clock));
        let durability = Some(Durability::Durable);
        Self { tx, options, queue, closing, clock, name, busy: false, durability, held: None }
    }

    fn tx(conn: SqliteConnection, clock: &Clock) -> Tx {
        Tx::new(Conn::Writer(conn), Scope::System, clock.clone(), Default::default())
    }

    /// Until the database is closed and the last accepted job is answered.
    pub(super) async fn run(mut self) {
        while let Some(job) = self.next().await {
            self.group(job).await;
        }
        if let Some(Tx { conn: Conn::Writer(conn), .. }) = self.tx {
            // The last connection to close empties the log into the file.
            let _ = conn.close().await;
        }
    }

    async fn next(&mut self) -> Option<Job> {
        if let Some(job) = self.held.take() {
            return Some(job);
        }
        tokio::select! {
            biased;
            job = self.queue.recv() => job,
            () = self.closing.cancelled() => {
                self.queue.close();
                self.queue.recv().await
            }
        }
    }

    /// One commit: this job and what else is waiting.
    async fn group(&mut self, first: Job) {
        let mut tx = match self.open().await {
            Ok(tx) => tx,
            Err(error) => return first.refuse(error),
        };
        let durability = first.durability;
        let change = (self.durability != Some(durability)).then_some(durability);
        self.durability = None;
        let mut group = match Group::begin(&mut tx, change).await {
            Ok(group) => group,
            Err(error) => {
                // Busy leaves the connection as it was; after anything else a new one is safer.
                self.tx = (error == DbError::Busy).then_some(tx);
                return first.refuse(error);
            }
        };
        self.durability = Some(durability);
        let started = Instant::now();
        let mut next = Some(first);
        while let Some(job) = next.take() {
            match group.take(job).await {
                Taken::More if group.jobs() < JOBS && started.elapsed() < WORK => {
                    next = self.joining(durability).await
                }
                Taken::More => {}
                Taken::Ended => return self.tx = Some(tx),
                Taken::Lost => return,
            }
        }
        self.busy = group.jobs() > 1 || self.held.is_some();
        metrics::histogram!("db_commit_jobs", "database" => self.name.clone()).record(group.jobs() as f64);
        let commit = Instant::now();
        let whole = group.commit().await;
        metrics::histogram!("db_commit_seconds", "database" => self.name.clone()).record(commit.elapsed());
        self.tx = whole.then_some(tx);
    }

    /// A job that is there already. When others wrote a moment ago, lets them speak first; a caller alone never waits.
    async fn waiting(&mut self) -> Option<Job> {
        if let Ok(job) = self.queue.try_recv() {
            return Some(job);
        }
        if !self.busy {
            return None;
        }
        tokio::task::yield_now().await;
        self.queue.try_recv().ok()
    }

    /// A job that is there already and may be in a commit that waits for this.
    async fn joining(&mut self, durability: Durability) -> Option<Job> {
        let job = self.waiting().await?;
        if durability == Durability::Durable || job.durability == durability {
            return Some(job);
        }
        self.held = Some(job);
        None
    }

    async fn open(&mut self) -> Result<Tx, DbError> {
        match self.tx.take() {
            Some(tx) => Ok(tx),
            None => {
                self.durability = Some(Durability::Durable);
                let options = self.options.clone().create_if_missing(false);
                Ok(Self::tx(SqliteConnection::connect_with(&options).await?, &self.clock))
            }
        }
    }
}
