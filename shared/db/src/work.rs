//! What a transaction's closure is, and the ways in which it ends.

use crate::job::Task;
use crate::{DbError, Tx};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// The longest a transaction's work may take on SQLite, where it holds up every other writer.
pub(crate) const SQLITE_MOST: Duration = Duration::from_secs(4);
/// The longest on PostgreSQL, where each statement has a limit of its own besides.
pub(crate) const POSTGRES_MOST: Duration = Duration::from_secs(6);

/// The work inside a transaction: `|tx| Box::pin(async move { .. })`.
pub(crate) trait Work<T, E>:
    for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static
{
}

impl<T, E, F> Work<T, E> for F where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static
{
}

/// What has to be true of a commit when the caller is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It outlives a loss of power, and a crash of the database server.
    Durable,
    /// It outlives this process, and is on the disk with the next one that is durable. A loss of power before that takes it back, on
    /// PostgreSQL a crash of the server as well, and nothing that was durable before it.
    Relaxed,
}

/// How the transaction has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By a commit.
    Keep,
    /// By a rollback; the connection is between statements.
    Undo,
    /// Stopped in the middle, perhaps of a statement.
    Broken,
}

/// Runs the work, whatever it does.
pub(crate) async fn run(tx: &mut Tx, most: Duration, task: &mut dyn Task) -> End {
    // The call is inside the future, so that a panic before the first await is caught as well.
    let work = async { task.work(tx).await };
    let (end, error) = match AssertUnwindSafe(tokio::time::timeout(most, work)).catch_unwind().await {
        Err(_) => {
            tracing::error!("a transaction's work panicked and is rolled back");
            (End::Broken, DbError::Panicked)
        }
        Ok(Err(_)) => (End::Broken, DbError::Timeout),
        Ok(Ok(false)) => return End::Undo,
        // A statement failed and the closure went on: PostgreSQL would answer the COMMIT with a rollback.
        Ok(Ok(true)) => match tx.failure() {
            Some(failure) => (End::Undo, failure.clone()),
            None => return End::Keep,
        },
    };
    task.fail(error);
    end
}
