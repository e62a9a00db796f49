//! A pool's connection while it is in a transaction.

use crate::DbError;
use sqlx::pool::PoolConnection;
use sqlx::{Database, Executor};

/// A connection taken from a pool that may be inside a transaction.
///
/// It goes back to the pool only after its transaction was ended and the database said so. Left in any other way (a
/// panic, a time limit, a task that was dropped) it is closed, and the database rolls back. The driver's own
/// transactions do not promise that: <https://github.com/transact-rs/sqlx/issues/4393>.
pub(crate) struct Session<DB: Database> {
    conn: Option<PoolConnection<DB>>,
    in_transaction: bool,
    in_use: metrics::Gauge,
}

impl<DB: Database> Session<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    pub(crate) fn new(conn: PoolConnection<DB>, in_use: metrics::Gauge) -> Self {
        in_use.increment(1.0);
        Self { conn: Some(conn), in_transaction: false, in_use }
    }

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
        self.in_use.decrement(1.0);
        if let Some(conn) = &mut self.conn
            && self.in_transaction
        {
            conn.close_on_drop();
        }
    }
}
