//! PostgreSQL: a schema of its own, a role that owns nothing, and a pool whose connections never come back inside a
//! transaction.

mod uniques;

pub(crate) use uniques::Uniques;

use crate::connections::{Connections, PATIENCE, Session};
use crate::job::Job;
use crate::migrate::{self, Migrations};
use crate::opening;
use crate::tx::{Conn, Scope};
use crate::work::{Durability, End, POSTGRES_MOST};
use crate::{DbError, Tx};
use futures::future::BoxFuture;
use kernel::Clock;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Transactions that may run or wait for a connection; further callers wait before their work is accepted.
const QUEUE: usize = 1024;
/// What each connection starts with: limits in milliseconds, and no compiling of plans, which for statements as short as these takes a
/// hundred times as long as what it is to save.
const SETTINGS: [(&str, &str); 4] = [
    ("jit", "off"),
    ("statement_timeout", "4000"),
    ("lock_timeout", "1000"),
    ("idle_in_transaction_session_timeout", "5000"),
];

/// A PostgreSQL schema in service.
pub(crate) struct Postgres(Arc<Inner>);

struct Inner {
    connections: Connections<sqlx::Postgres>,
    places: Arc<Semaphore>,
    tasks: TaskTracker,
    clock: Clock,
    uniques: Arc<Uniques>,
}

/// What the transaction may do.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    /// Each statement sees what is committed when it starts; a lock taken first is therefore honoured.
    Write,
    /// One snapshot.
    Read,
}

impl Postgres {
    pub(crate) async fn open(
        url: &str,
        schema: &str,
        connections: u32,
        migrations: &Migrations,
        clock: Clock,
    ) -> Result<Self, DbError> {
        check_schema(schema)?;
        let login: PgConnectOptions = url.parse().map_err(|_: sqlx::Error| opening::unreadable())?;
        let migrated = migrate::postgres(&login, schema, migrations, &clock).await?;
        let options = login
            .statement_cache_capacity(512)
            .application_name(&format!("backchannel-{schema}"))
            .options(SETTINGS.into_iter().chain([("search_path", schema)]));
        let role = migrated.role;
        let pool = PgPoolOptions::new()
            .max_connections(connections.max(1))
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .after_connect(move |conn, _| {
                Box::pin(async move {
                    if let Some(role) = role {
                        conn.execute(AssertSqlSafe(format!("SET ROLE {role}"))).await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(options);
        Ok(Self(Arc::new(Inner {
            connections: Connections::new(pool, schema.to_owned()),
            places: Arc::new(Semaphore::new(QUEUE)),
            tasks: TaskTracker::new(),
            clock,
            uniques: Arc::new(migrated.uniques),
        })))
    }

    pub(crate) async fn close(&self) {
        self.0.places.close();
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.connections.close().await;
    }

    /// Runs the transaction in a task of its own: a caller who goes away in the middle of BEGIN, of a statement or of
    /// COMMIT would otherwise leave the connection in a state nobody knows.
    pub(crate) fn accept(&self, access: Access, job: Job) -> BoxFuture<'_, Result<(), DbError>> {
        Box::pin(async move {
            let place = Arc::clone(&self.0.places).acquire_owned().await.map_err(|_| DbError::Closed)?;
            let inner = Arc::clone(&self.0);
            // Boxed: moving it into its task, and that one about, is moving a pointer.
            let transaction = Box::pin(async move {
                let _place = place;
                inner.transact(access, job).await;
            });
            self.0.tasks.spawn(transaction.in_current_span());
            Ok(())
        })
    }
}

impl Inner {
    async fn transact(&self, access: Access, job: Job) {
        let scope = job.scope.clone();
        let session = match self.begin(access, &scope, job.durability).await {
            Ok(session) => session,
            Err(error) => return job.refuse(error),
        };
        let mut tx = Tx::new(Conn::Postgres(session), scope, self.clock.clone(), Arc::clone(&self.uniques));
        let done = job.run(&mut tx, POSTGRES_MOST).await;
        let Conn::Postgres(mut session) = tx.conn else { return };
        match (done.end, access) {
            (End::Keep, Access::Write) => {
                let committed = session.end("COMMIT").await.map_err(|e| DbError::read(e, &self.uniques));
                drop(session);
                done.answer(committed);
            }
            // Nothing was written, so the answer need not wait for the end.
            (End::Keep, Access::Read) => {
                done.answer_read();
                let _ = session.end("ROLLBACK").await;
            }
            (End::Undo, _) => {
                let _ = session.end("ROLLBACK").await;
                done.answer_read();
            }
            // The connection may be in the middle of a statement: dropping the session closes it.
            (End::Broken, _) => {
                drop(session);
                done.answer_read();
            }
        }
    }

    /// Begins, with the organization set, in one round trip.
    async fn begin(
        &self,
        access: Access,
        scope: &Scope,
        durability: Durability,
    ) -> Result<Session<sqlx::Postgres>, DbError> {
        let begin = match access {
            Access::Write => "BEGIN",
            Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let org = match scope {
            Scope::Tenant(org) => org.as_str(),
            // No slug, so no organization has this name; policies of work tables admit it.
            Scope::System => "*",
        };
        let commit = match durability {
            Durability::Durable => "",
            Durability::Relaxed => "; SET LOCAL synchronous_commit = off",
        };
        // A slug needs no quoting; it is done all the same, so that this line is right by itself.
        let org = org.replace('\'', "''");
        let sql: Arc<str> = format!("{begin}; SET LOCAL app.org = '{org}'{commit}").into();
        // After PostgreSQL restarted, every connection in the pool is dead. Each that fails is closed and gone, so
        // after as many tries as there are connections a new one is opened.
        let mut tries = self.connections.most() + 1;
        loop {
            let mut session = self.connections.take().await?;
            tries -= 1;
            match session
                .begin(AssertSqlSafe(Arc::clone(&sql)))
                .await
                .map_err(|e| DbError::read(e, &self.uniques))
            {
                Ok(()) => return Ok(session),
                Err(DbError::Unavailable(_)) if tries > 0 => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The schema's name goes into statements and settings as it is.
fn check_schema(schema: &str) -> Result<(), DbError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let lettered = schema.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    if lettered && schema.len() <= 63 && schema.bytes().all(plain) {
        return Ok(());
    }
    Err(DbError::Migration("a schema's name is lowercase letters, digits and _, a letter first".to_owned()))
}
