//! Forgets what nobody will ask for again.

use std::time::Duration;

use db::{BoxFuture, Db, DbError, Tx};
use tokio_util::sync::CancellationToken;

use crate::inbox::REMEMBERED;

const EVERY: Duration = Duration::from_secs(600);
const DEAD_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Rows per write: short, so that callers' writes do not wait behind it.
const AT_ONCE: i64 = 500;

/// The worker that keeps inbox and outbox small: inbox rows older than [`REMEMBERED`] and dead letters older than 90
/// days go.
#[derive(Debug, Clone)]
pub struct Sweep {
    db: Db,
}

impl Sweep {
    /// A sweep of the tables in `db`.
    pub fn new(db: Db) -> Self {
        Sweep { db }
    }

    /// Sweeps every ten minutes until `shutdown`.
    // Not `async fn`: see `db::Db::open`.
    pub fn run(self, shutdown: CancellationToken) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = tokio::time::sleep(EVERY) => {}
                }
                match self.once().await {
                    Ok(rows) => tracing::debug!(rows, "swept inbox and outbox"),
                    Err(error) => tracing::warn!(%error, "inbox and outbox not swept; tried again later"),
                }
            }
        })
    }

    /// Sweeps now and returns how many rows went.
    ///
    /// # Errors
    /// [`DbError`] of a delete; what went before it stays gone.
    pub async fn once(&self) -> Result<u64, DbError> {
        let mut gone = 0;
        loop {
            let swept = self.db.write_system(|tx| Box::pin(sweep(tx))).await?;
            if swept == 0 {
                return Ok(gone);
            }
            gone += swept;
        }
    }
}

async fn sweep(tx: &mut Tx) -> Result<u64, DbError> {
    let now = tx.now().await?;
    let inbox = tx
        .query(
            "WITH doomed AS MATERIALIZED (
                SELECT org_id, event_id FROM inbox WHERE apply_time < $1 ORDER BY apply_time LIMIT $2)
             DELETE FROM inbox WHERE (org_id, event_id) IN (SELECT org_id, event_id FROM doomed)",
        )
        .bind(now.minus(REMEMBERED))
        .bind(AT_ONCE)
        .execute(tx)
        .await?;
    let dead = tx
        .query(
            "WITH doomed AS MATERIALIZED (
                SELECT seq FROM outbox WHERE state = 'dead' AND create_time < $1 LIMIT $2)
             DELETE FROM outbox WHERE seq IN (SELECT seq FROM doomed)",
        )
        .bind(now.minus(DEAD_KEPT))
        .bind(AT_ONCE)
        .execute(tx)
        .await?;
    Ok(inbox + dead)
}
