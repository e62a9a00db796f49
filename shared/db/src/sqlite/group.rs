//! Many callers' work in one transaction: each in a savepoint, all answered after the one commit.
//!
//! Every statement is a round trip to the connection's thread, so there are as few as correctness allows: the first
//! job needs no savepoint (if it fails, everything is rolled back, and that is only its own work), ending one
//! savepoint and setting the next is one trip, and COMMIT ends whatever savepoint is left.

use crate::job::{Done, Job};
use crate::tx::Conn;
use crate::work::{Durability, End, SQLITE_MOST};
use crate::{DbError, Tx};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteArguments;

pub(super) struct Group<'w> {
    tx: &'w mut Tx,
    done: Vec<Done>,
    savepoint: Savepoint,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Savepoint {
    /// Nothing was done yet, or the first job's work only.
    None,
    /// Set, with work in it that is to be kept.
    Used,
    /// Set, and empty again after work was rolled back.
    Empty,
}

/// What became of the group by taking one more job.
pub(super) enum Taken {
    /// It goes on.
    More,
    /// The job was its only one and failed: rolled back and answered.
    Ended,
    /// The transaction is gone; everybody was told, and the connection must not be used again.
    Lost,
}

impl<'w> Group<'w> {
    /// Begins, and says first what commits wait for if that is another thing than before.
    pub(super) async fn begin(tx: &'w mut Tx, change: Option<Durability>) -> Result<Self, DbError> {
        match change {
            None => control(tx, "BEGIN IMMEDIATE").await?,
            // Read anew each time: SQLite obeys this one when it reads it, not when it runs it.
            Some(durability) => {
                let level = match durability {
                    Durability::Durable => "PRAGMA synchronous = FULL; BEGIN IMMEDIATE",
                    // The log is synced before its pages go into the file all the same: a loss of power leaves what was committed up
                    // to some moment. The next commit that is synced syncs all before it.
                    Durability::Relaxed => "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE",
                };
                sqlx::raw_sql(level).execute(writer(tx)?).await?;
            }
        }
        Ok(Self { tx, done: Vec::new(), savepoint: Savepoint::None })
    }

    pub(super) fn jobs(&self) -> usize {
        self.done.len()
    }

    /// Does one job's work; a failure takes back this job's work and nobody else's.
    pub(super) async fn take(&mut self, job: Job) -> Taken {
        if let Err(error) = self.set_savepoint().await {
            job.refuse(error.clone());
            return self.lose(error);
        }
        self.tx.restart(job.scope.clone());
        let done = job.run(self.tx, SQLITE_MOST).await;
        if done.end == End::Keep {
            self.done.push(done);
            return Taken::More;
        }
        let alone = self.done.is_empty();
        let undone = control(self.tx, if alone { "ROLLBACK" } else { "ROLLBACK TO job" }).await;
        match undone {
            Ok(()) if alone => {
                done.answer(Ok(()));
                Taken::Ended
            }
            Ok(()) => {
                self.done.push(done);
                self.savepoint = Savepoint::Empty;
                Taken::More
            }
            // SQLite itself rolls everything back when, for example, the disk is full.
            Err(error) if alone => {
                done.answer(Ok(()));
                tracing::warn!(%error, "a failed transaction was rolled back by closing its connection");
                Taken::Lost
            }
            Err(error) => {
                self.done.push(done);
                self.lose(error)
            }
        }
    }

    async fn set_savepoint(&mut self) -> Result<(), DbError> {
        let sql = match self.savepoint {
            Savepoint::None if self.done.is_empty() => return Ok(()),
            Savepoint::None => "SAVEPOINT job",
            Savepoint::Used => "RELEASE job; SAVEPOINT job",
            Savepoint::Empty => {
                self.savepoint = Savepoint::Used;
                return Ok(());
            }
        };
        control(self.tx, sql).await?;
        self.savepoint = Savepoint::Used;
        Ok(())
    }

    /// Commits, with one sync of the log unless nobody needs that, and only then answers. False if the connection must not be used again.
    pub(super) async fn commit(self) -> bool {
        let committed = control(self.tx, "COMMIT").await.map_err(|error| match error {
            DbError::Full => DbError::Full,
            error => DbError::Unavailable(format!("commit failed: {error}")),
        });
        if let Err(error) = &committed {
            tracing::error!(%error, jobs = self.done.len(), "a commit failed; none of its callers was acknowledged");
        }
        for done in self.done {
            done.answer(committed.clone());
        }
        committed.is_ok()
    }

    fn lose(&mut self, error: DbError) -> Taken {
        tracing::error!(%error, jobs = self.done.len(), "a transaction was lost; none of its callers was acknowledged");
        for done in self.done.drain(..) {
            done.answer(Err(DbError::Unavailable("the transaction was rolled back".to_owned())));
        }
        Taken::Lost
    }
}

/// Runs a statement of the transaction itself, prepared once and kept.
async fn control(tx: &mut Tx, sql: &'static str) -> Result<(), DbError> {
    sqlx::query_with(sql, SqliteArguments::default()).execute(writer(tx)?).await?;
    Ok(())
}

fn writer(tx: &mut Tx) -> Result<&mut SqliteConnection, DbError> {
    match &mut tx.conn {
        Conn::Writer(conn) => Ok(conn),
        Conn::Reader(_) | Conn::Postgres(_) => {
            Err(DbError::Corrupt("a group commits on the writer only".to_owned()))
        }
    }
}
