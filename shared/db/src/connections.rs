//! Connections, between transactions and in one.

use crate::DbError;
use sqlx::pool::PoolConnection;
use sqlx::{Database, Executor, Pool};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a transaction waits for a connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// A connection that was not used for so long goes back to the driver's pool, which closes what nobody needs.
const REST: Duration = Duration::from_secs(60);
/// So does one that was out for so long: the pool ends each at a certain age.
const OUT: Duration = Duration::from_secs(600);

/// A pool's connections, kept out of it while they are in steady use: whatever comes back to the driver's pool is asked
/// whether it is still alive, one round trip more for each transaction. Here a dead connection shows at BEGIN, where
/// trying another one is free of effects.
pub(crate) struct Connections<DB: Database>(Arc<Shelf<DB>>);

struct Shelf<DB: Database> {
    pool: Pool<DB>,
    /// One for each connection of the pool: who has one finds a connection here or there.
    places: Arc<Semaphore>,
    /// The last one used is taken first, so that those in excess get their rest.
    idle: Mutex<VecDeque<Idle<DB>>>,
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
        let (places, idle) = (Arc::new(Semaphore::new(most)), Mutex::default());
        Self(Arc::new(Shelf { pool, places, idle, in_use }))
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
        Ok(Session { conn: Some(conn), taken, in_transaction: false, shelf, _place: place })
    }

    /// Closes every connection, those in use as soon as their transaction has ended.
    pub(crate) async fn close(&self) {
        self.0.places.close();
        let idle = std::mem::take(&mut *self.0.idle());
        drop(idle);
        self.0.pool.close().await;
    }
}

impl<DB: Database> Shelf<DB> {
    fn idle(&self) -> std::sync::MutexGuard<'_, VecDeque<Idle<DB>>> {
        // A panic under the lock leaves the queue whole: each change is one call.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a connection at hand, or gives it back to the pool by dropping it; and another one that had its rest.
    fn put(&self, conn: PoolConnection<DB>, taken: Instant) {
        let used = Instant::now();
        if self.pool.is_closed() || used.duration_since(taken) >= OUT {
            return;
        }
        let rested = {
            let mut idle = self.idle();
            idle.push_back(Idle { conn, taken, used });
            match idle.front() {
                Some(longest) if used.duration_since(longest.used) >= REST => idle.pop_front(),
                _ => None,
            }
        };
        drop(rested);
    }
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
        sqlx::raw_sql(sql).execute(conn).await?;
        Ok(())
    }

    /// Ends with COMMIT or ROLLBACK.
    pub(crate) async fn end(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        let conn = self.conn.as_deref_mut().ok_or(sqlx::Error::PoolClosed)?;
        sqlx::raw_sql(sql).execute(conn).await?;
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
        let Some(mut conn) = self.conn.take() else { return };
        if self.in_transaction {
            conn.close_on_drop();
        } else {
            self.shelf.put(conn, self.taken);
        }
    }
}
