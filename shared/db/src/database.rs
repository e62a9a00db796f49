//! The database of one service.

use crate::job::{self, Job};
use crate::migrate::Migrations;
use crate::postgres::{Access, Postgres};
use crate::sqlite::Sqlite;
use crate::tx::Scope;
use crate::work::Durability;
use crate::{DbError, Engine, RequestIdReused, Retry, Tx};
use futures::future::BoxFuture;
use kernel::{Clock, OrgId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a service keeps its data.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A file of its own.
    Sqlite {
        /// The file; made if missing, and its folder too.
        path: PathBuf,
        /// Connections for reading, beside the only writer.
        readers: u32,
    },
    /// A schema of its own in a PostgreSQL database.
    Postgres {
        /// `postgres://user:password@host:port/database`.
        url: String,
        /// The schema, made if missing: lowercase letters, digits and `_`.
        schema: String,
        /// The most connections at a time.
        connections: u32,
    },
}

impl Target {
    /// A SQLite file with the usual number of readers.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite { path: path.into(), readers: 4 }
    }

    /// A PostgreSQL schema with the usual number of connections.
    pub fn postgres(url: impl Into<String>, schema: impl Into<String>) -> Self {
        Self::Postgres { url: url.into(), schema: schema.into(), connections: 16 }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path, readers } => {
                f.debug_struct("Sqlite").field("path", path).field("readers", readers).finish()
            }
            // The address may hold a password.
            Self::Postgres { schema, connections, .. } => {
                f.debug_struct("Postgres").field("schema", schema).field("connections", connections).finish()
            }
        }
    }
}

/// The database of one service. Cheap to clone.
///
/// Work is handed over as a closure that owns what it needs: once accepted it runs to its end, even if the caller goes
/// away meanwhile (a client's cancel never leaves a transaction half done). The answer comes after the commit is
/// durable, but for [`Db::write_system_relaxed`]. No peer is awaited inside: a transaction that takes longer than a few seconds is rolled back.
#[derive(Clone)]
pub struct Db(Arc<Backend>);

enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Db {
    /// Brings the tables to the form the program needs, then serves.
    ///
    /// # Errors
    /// [`DbError::Migration`] when the tables cannot be brought there, [`DbError::Unavailable`] when the database cannot
    /// be reached or the file cannot be opened.
    // Not `async fn`: the body of one is compiled again in each crate that awaits it, drivers and all.
    pub fn open(
        target: Target,
        migrations: &Migrations,
        clock: Clock,
    ) -> BoxFuture<'_, Result<Self, DbError>> {
        Box::pin(async move {
            Ok(Self(Arc::new(match target {
                Target::Sqlite { path, readers } => {
                    Backend::Sqlite(Sqlite::open(path, readers, migrations, clock).await?)
                }
                Target::Postgres { url, schema, connections } => {
                    Backend::Postgres(Postgres::open(&url, &schema, connections, migrations, clock).await?)
                }
            })))
        })
    }

    /// The database underneath.
    pub fn engine(&self) -> Engine {
        match &*self.0 {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// Does the work in a transaction of the organization, commits, and answers once that is durable. An error of the
    /// work rolls back.
    ///
    /// When too much is waiting already, this waits for a place, and a caller who gives up in that time has had no
    /// effect; after that the work is done whether or not the caller is still there.
    ///
    /// # Errors
    /// The work's own, or [`DbError`].
    pub async fn write<T, E, F>(&self, org: &OrgId, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.write_in(Scope::Tenant(org.clone()), Durability::Durable, work).await
    }

    /// Like [`Db::write`], unless the same request was done before: then its first answer is given again. See
    /// [`once`](crate::once).
    ///
    /// # Errors
    /// [`RequestIdReused`](crate::RequestIdReused), and as [`Db::write`].
    pub async fn write_once<T, E, F>(&self, org: &OrgId, retry: Retry, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        E: From<DbError> + From<RequestIdReused> + Send + 'static,
    {
        self.write(org, move |tx| Box::pin(async move { crate::once(tx, &retry, work).await })).await
    }

    /// Like [`Db::write`], across tenants, on the tables declared as work tables: for the relay, timers and sweeps.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn write_system<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.write_in(Scope::System, Durability::Durable, work).await
    }

    /// Like [`Db::write_system`], but answers before it is durable: a loss of power may take it back, or a crash of the database server,
    /// and with it nothing that was durable before. Only for bookkeeping that is then done again without harm, as claims and marks of what is delivered at least
    /// once: it waits for no sync of the disk, and nobody waits for it.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn write_system_relaxed<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.write_in(Scope::System, Durability::Relaxed, work).await
    }

    /// Does the work on one snapshot of the organization's data; it cannot write.
    ///
    /// # Errors
    /// The work's own, or [`DbError`].
    pub async fn read<T, E, F>(&self, org: &OrgId, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.read_in(Scope::Tenant(org.clone()), work).await
    }

    /// Like [`Db::read`], across tenants, on the tables declared as work tables.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn read_system<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.read_in(Scope::System, work).await
    }

    /// Takes no more work, finishes what was accepted, closes. A SQLite file is left without a log beside it.
    pub fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            match &*self.0 {
                Backend::Sqlite(sqlite) => sqlite.close().await,
                Backend::Postgres(postgres) => postgres.close().await,
            }
        })
    }

    async fn write_in<T, E, F>(&self, scope: Scope, durability: Durability, work: F) -> Result<T, E>
    where
        F: crate::work::Work<T, E>,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (job, answer) = job::accept(scope, durability, work);
        self.0.write(job).await?;
        answer.get().await
    }

    async fn read_in<T, E, F>(&self, scope: Scope, work: F) -> Result<T, E>
    where
        F: crate::work::Work<T, E>,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (job, answer) = job::accept(scope, Durability::Durable, work);
        self.0.read(job).await?;
        answer.get().await
    }
}

impl Backend {
    fn write(&self, job: Job) -> BoxFuture<'_, Result<(), DbError>> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(job),
            Self::Postgres(postgres) => postgres.accept(Access::Write, job),
        }
    }

    fn read(&self, job: Job) -> BoxFuture<'_, Result<(), DbError>> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.read(job);
                Box::pin(std::future::ready(Ok(())))
            }
            Self::Postgres(postgres) => postgres.accept(Access::Read, job),
        }
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Db").field(&self.engine()).finish()
    }
}
