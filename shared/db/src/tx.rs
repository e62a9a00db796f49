//! A transaction, and whose it is.

use crate::connections::Session;
use crate::postgres::Uniques;
use crate::{DbError, Query};
use kernel::{Clock, OrgId, Timestamp};
use sqlx::{Postgres, Sqlite, SqliteConnection};
use std::sync::Arc;

/// Which database is underneath; for the few places where the two must differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The embedded default.
    Sqlite,
    /// The one that scales out.
    Postgres,
}

/// Whose rows a transaction sees.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    Tenant(OrgId),
    /// Work tables of every tenant: for the relay, timers and sweeps.
    System,
}

/// The connection a transaction runs on.
pub(crate) enum Conn {
    /// SQLite's only writer.
    Writer(SqliteConnection),
    Reader(Session<Sqlite>),
    Postgres(Session<Postgres>),
}

/// What to do once the transaction is committed, as durably as it is to be.
pub(crate) type Hook = Box<dyn FnOnce() + Send>;

/// A transaction. Begun and ended by [`Db`](crate::Db); the work in between only queries.
///
/// On SQLite it may share its commit with other callers' transactions, each in its own savepoint.
pub struct Tx {
    pub(crate) conn: Conn,
    scope: Scope,
    clock: Clock,
    uniques: Arc<Uniques>,
    now: Option<Timestamp>,
    failure: Option<DbError>,
    hooks: Vec<Hook>,
}

impl Tx {
    pub(crate) fn new(conn: Conn, scope: Scope, clock: Clock, uniques: Arc<Uniques>) -> Self {
        Self { conn, scope, clock, uniques, now: None, failure: None, hooks: Vec::new() }
    }

    /// Makes a transaction of the same connection for the next job in SQLite's batch.
    pub(crate) fn restart(&mut self, scope: Scope) {
        self.scope = scope;
        self.now = None;
        self.failure = None;
        self.hooks = Vec::new();
    }

    /// The organization whose transaction this is; `None` in system scope.
    pub fn org(&self) -> Option<&OrgId> {
        match &self.scope {
            Scope::Tenant(org) => Some(org),
            Scope::System => None,
        }
    }

    /// The database underneath.
    pub fn engine(&self) -> Engine {
        match self.conn {
            Conn::Writer(_) | Conn::Reader(_) => Engine::Sqlite,
            Conn::Postgres(_) => Engine::Postgres,
        }
    }

    /// The clock the database was opened with: for new ids and for times that nobody compares across processes.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The database's time, for leases and everything else that several processes compare: PostgreSQL's own, on SQLite
    /// the clock of the only process. Asked for once per transaction. A fake clock is followed on both.
    ///
    /// # Errors
    /// As for every statement.
    pub async fn now(&mut self) -> Result<Timestamp, DbError> {
        if let Some(now) = self.now {
            return Ok(now);
        }
        let now = match self.engine() {
            Engine::Postgres if !self.clock.is_fake() => {
                const SQL: &str = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint";
                Query::unbound(Engine::Postgres, SQL).fetch_value(self).await?
            }
            _ => self.clock.now(),
        };
        self.now = Some(now);
        Ok(now)
    }

    /// A statement. In a tenant's transaction `$1` is the organization, already bound, and must be mentioned: further
    /// values are `$2` and up. In system scope values start at `$1`.
    pub fn query(&self, sql: &'static str) -> Query {
        Query::new(self, sqlx::SqlSafeStr::into_sql_str(sql))
    }

    /// Like [`Tx::query`], for a statement put together by the program: VALUES lists, optional filters. What comes from
    /// a caller is bound, never part of the text.
    pub fn query_dynamic(&self, sql: String) -> Query {
        Query::new(self, sqlx::SqlSafeStr::into_sql_str(sqlx::AssertSqlSafe(sql)))
    }

    /// Does something once the transaction is committed, as durably as it is to be; not at all if it is rolled back. It
    /// must be quick and must not block: it runs before the caller is answered. In reads it never runs.
    pub fn after_commit(&mut self, hook: impl FnOnce() + Send + 'static) {
        self.hooks.push(Box::new(hook));
    }

    pub(crate) fn take_hooks(&mut self) -> Vec<Hook> {
        std::mem::take(&mut self.hooks)
    }

    /// Why the transaction can only be rolled back, if it can.
    pub(crate) fn failure(&self) -> Option<&DbError> {
        self.failure.as_ref()
    }

    /// Notes a statement's failure. PostgreSQL aborts the transaction, SQLite sometimes does (a full disk): treating
    /// every failure as the end keeps the two alike and nothing half done.
    pub(crate) fn fail(&mut self, error: sqlx::Error) -> DbError {
        let error = DbError::read(error, &self.uniques);
        self.failure.get_or_insert_with(|| error.clone());
        error
    }
}
