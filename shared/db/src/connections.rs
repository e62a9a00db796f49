//! Connections, between transactions and in one.

use crate::DbError;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Database, Executor, Pool, SqlSafeStr, SqlStr};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a transaction waits for a connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// How long BEGIN, COMMIT and ROLLBACK may take; the statements between, and a BEGIN that goes with one, have the work's limit.
const ANSWER: Duration = Duration::from_secs(3);
/// A connection that was not used for so long is closed.
const REST: Duration = Duration::from_secs(60);
/// So is one of this age, since a server's memory for a connection grows with its life.
const OLD: Duration = Duration::from_secs(1800);

/// A pool's connections, which do not go back to it between transactions: there each is asked whether it is still
/// alive, one round trip more for every transaction. Here one that died shows at BEGIN, where trying another is free of
/// effects; of SQLite's none dies.
pub(crate) struct Connections<DB: Database>(Arc<Shelf<DB>>);

struct Shelf<DB: Database> {
    pool: Pool<DB>,
    /// One for each connection of the pool: who has one finds a connection here or there.
    places: Arc<Semaphore>,
    /// The last one used is taken first, so that those in excess get their rest.
    idle: Mutex<VecDeque<Idle<DB>>>,
    closed: AtomicBool,
    in_use: metrics::Gauge,
}

struct Idle<DB: Database> {
    conn: PoolConnection<DB>,
    taken: Instant,
    used: Instant,
}

impl<DB: Database> Clone for Connections<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Database> Connections<DB> {
    /// The connections of this pool; `database` is its name in the metrics.
    pub(crate) fn new(pool: Pool<DB>, database: String) -> Self {
        let most = usize::try_from(pool.options().get_max_connections()).unwrap_or(1);
        let in_use = metrics::gauge!("db_connections_in_use", "database" => database);
        let (places, idle, closed) =
            (Arc::new(Semaphore::new(most)), Mutex::default(), AtomicBool::new(false));
        Self(Arc::new(Shelf { pool, places, idle, closed, in_use }))
    }

    /// How many there are at most.
    pub(crate) fn most(&self) -> u32 {
        self.0.pool.options().get_max_connections()
    }

    /// A connection for one transaction; waits for at most [`PATIENCE`].
    pub(crate) async fn take(&self) -> Result<Session<DB>, sqlx::Error> {
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.0.places).acquire_owned());
        let place = place
            .await
            .map_err(|_elapsed| sqlx::Error::PoolTimedOut)?
            .map_err(|_closed| sqlx::Error::PoolClosed)?;
        let idle = self.0.idle().pop_back();
        let (conn, taken) = match idle {
            Some(idle) => (idle.conn, idle.taken),
            None => (self.0.pool.acquire().await?, Instant::now()),
        };
        self.0.in_use.increment(1.0);
        let shelf = Arc::clone(&self.0);
        Ok(Session { conn: Some(conn), taken, in_transaction: false, begins: None, shelf, _place: place })
    }

    /// Closes every connection, those in use as soon as their transaction has ended.
    pub(crate) async fn close(&self) {
        self.0.places.close();
        self.0.closed.store(true, Ordering::Relaxed);
        self.0.clear();
        self.0.pool.close().await;
    }
}

impl<DB: Database> Shelf<DB> {
    fn idle(&self) -> std::sync::MutexGuard<'_, VecDeque<Idle<DB>>> {
        // A panic under the lock leaves the queue whole: each change is one call.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes everything at hand.
    fn clear(&self) {
        let idle = std::mem::take(&mut *self.idle());
        idle.into_iter().for_each(|idle| close(idle.conn));
    }

    /// Keeps a connection at hand, or closes it; and another one that nobody needed for a while.
    fn put(&self, conn: PoolConnection<DB>, taken: Instant) {
        let used = Instant::now();
        let rested = {
            let mut idle = self.idle();
            if self.closed.load(Ordering::Relaxed) || used.duration_since(taken) >= OLD {
                return close(conn);
            }
            idle.push_back(Idle { conn, taken, used });
            match idle.front() {
                Some(longest) if used.duration_since(longest.used) >= REST => idle.pop_front(),
                _ => None,
            }
        };
        rested.into_iter().for_each(|rested| close(rested.conn));
    }
}

/// Closes a connection in the background. Given back whole it would be asked whether it is alive, without a time limit,
/// and one that is silent would keep its place in the pool.
fn close<DB: Database>(mut conn: PoolConnection<DB>) {
    conn.close_on_drop();
}

/// The driver itself waits for an answer as long as TCP does, a quarter of an hour: behind a firewall that forgot the
/// connection, nothing ever comes.
async fn in_time<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let answer = tokio::time::timeout(ANSWER, answer).await;
    answer.unwrap_or_else(|_elapsed| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// A connection that may be inside a transaction.
///
/// It is used again only after its transaction was ended and the database said so. Left in any other way (a panic, a
/// time limit, a task that was dropped) it is closed, and the database rolls back. The driver's own transactions do not
/// promise that: <https://github.com/transact-rs/sqlx/issues/4393>.
pub(crate) struct Session<DB: Database> {
    conn: Option<PoolConnection<DB>>,
    taken: Instant,
    in_transaction: bool,
    /// How it begins, once there is a first statement.
    begins: Option<&'static str>,
    shelf: Arc<Shelf<DB>>,
    // Given up after the connection is back: fields are dropped after `drop`.
    _place: OwnedSemaphorePermit,
}

impl<DB: Database> Session<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// Begins with the given statements, in one round trip.
    pub(crate) async fn begin(&mut self, sql: impl sqlx::SqlSafeStr + Send) -> Result<(), sqlx::Error> {
        // Before the first byte leaves: from here on only a confirmed end makes the connection clean again.
        self.in_transaction = true;
        let conn = self.conn.as_deref_mut().ok_or(sqlx::Error::PoolClosed)?;
        let begun = in_time(sqlx::raw_sql(sql).execute(conn)).await;
        if matches!(&begun, Err(sqlx::Error::Io(_))) {
            // Whatever silenced this connection will have silenced the others that wait: none of them is tried.
            self.shelf.clear();
        }
        begun.map(drop)
    }

    /// Begins with the first statement, in its round trip; not at all if there is none.
    pub(crate) fn begin_with_first(&mut self, sql: &'static str) {
        self.begins = Some(sql);
    }

    /// The statement as it is sent: behind what begins the transaction, if it is the first.
    pub(crate) fn statement(&mut self, sql: SqlStr) -> SqlStr {
        let Some(begin) = self.begins.take() else { return sql };
        // Before the first byte leaves, as in `begin`.
        self.in_transaction = true;
        AssertSqlSafe(format!("{begin}; {}", sql.as_str())).into_sql_str()
    }

    /// Ends with COMMIT or ROLLBACK, if it began.
    pub(crate) async fn end(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        if !self.in_transaction {
            return Ok(());
        }
        let conn = self.conn.as_deref_mut().ok_or(sqlx::Error::PoolClosed)?;
        in_time(sqlx::raw_sql(sql).execute(conn)).await?;
        self.in_transaction = false;
        Ok(())
    }

    pub(crate) fn get(&mut self) -> Result<&mut DB::Connection, DbError> {
        self.conn.as_deref_mut().ok_or(DbError::Closed)
    }
}

impl<DB: Database> Drop for Session<DB> {
    fn drop(&mut self) {
        self.shelf.in_use.decrement(1.0);
        let Some(conn) = self.conn.take() else { return };
        if self.in_transaction {
            close(conn);
        } else {
            self.shelf.put(conn, self.taken);
        }
    }
}
