//! How much waits in an outbox, and for how long.

use std::time::Duration;

use db::{Db, DbError, Tx};
use kernel::Timestamp;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(5);

#[derive(db::FromRow)]
struct Depth {
    target: String,
    state: String,
    events: i64,
    oldest: Timestamp,
}

/// Sets `outbox_pending` (events that wait or are under way), `outbox_dead` and `outbox_lag_seconds` (age of the oldest
/// that waits) until `stop`.
pub(crate) async fn measure(
    db: Db,
    source: &'static str,
    targets: Vec<&'static str>,
    stop: CancellationToken,
) {
    loop {
        let looked = db.read_system(|tx| Box::pin(depths(tx))).await;
        if let Ok((now, depths)) = looked {
            for target in &targets {
                publish(source, target, now, &depths);
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn depths(tx: &mut Tx) -> Result<(Timestamp, Vec<Depth>), DbError> {
    let now = tx.now().await?;
    let depths = tx
        .query(
            "SELECT target, state, COUNT(*) AS events, MIN(create_time) AS oldest FROM outbox GROUP BY target, state",
        )
        .fetch_all(tx)
        .await?;
    Ok((now, depths))
}

#[expect(clippy::cast_precision_loss, reason = "a gauge: counts stay far below 2^52")]
fn publish(source: &'static str, target: &'static str, now: Timestamp, depths: &[Depth]) {
    let labels = [("source", source), ("target", target)];
    let (mut pending, mut dead, mut lag) = (0, 0, Duration::ZERO);
    for depth in depths.iter().filter(|depth| depth.target == target) {
        if depth.state == "dead" {
            dead += depth.events;
        } else {
            pending += depth.events;
            lag = lag.max(now.since(depth.oldest));
        }
    }
    metrics::gauge!("outbox_pending", &labels).set(pending as f64);
    metrics::gauge!("outbox_dead", &labels).set(dead as f64);
    metrics::gauge!("outbox_lag_seconds", &labels).set(lag.as_secs_f64());
}
