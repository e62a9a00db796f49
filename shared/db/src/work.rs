//! What a transaction's closure is, and the ways in which it ends.

use crate::{DbError, Tx};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tracing::Instrument;

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

/// How the work ended.
pub(crate) enum Ending<T, E> {
    /// To be committed.
    Kept(T),
    /// To be rolled back; the connection is between statements.
    Refused(E),
    /// Stopped in the middle, perhaps of a statement.
    Broken(DbError),
}

/// Runs the work, whatever it does.
pub(crate) async fn run<T, E, F>(tx: &mut Tx, most: Duration, work: F) -> Ending<T, E>
where
    F: Work<T, E>,
    E: From<DbError>,
{
    // The call is inside the future, so that a panic before the first await is caught as well.
    let work = async { work(tx).await }.in_current_span();
    match AssertUnwindSafe(tokio::time::timeout(most, work)).catch_unwind().await {
        Err(_) => {
            tracing::error!("a transaction's work panicked and is rolled back");
            Ending::Broken(DbError::Panicked)
        }
        Ok(Err(_)) => Ending::Broken(DbError::Timeout),
        Ok(Ok(Err(error))) => Ending::Refused(error),
        // A statement failed and the closure went on: PostgreSQL would answer the COMMIT with a rollback.
        Ok(Ok(Ok(value))) => match tx.failure() {
            Some(failure) => Ending::Refused(E::from(failure.clone())),
            None => Ending::Kept(value),
        },
    }
}
