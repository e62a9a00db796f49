//! Takes events out of the outbox and to their peers.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use db::{BoxFuture, Db};
use futures::FutureExt;
use kernel::Clock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::deliver::Deliver;
use crate::depth;
use crate::event::Outbox;
use crate::lane::Lane;

/// Before a lane that panicked is started again, so that one that always does leaves the rest of the process alone.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// How a relay works. The default is what every service uses; tests are more impatient.
#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// How long it takes to see an event whose wake-up was lost.
    pub poll: Duration,
    /// Events claimed in one write, at most.
    pub batch: u32,
    /// Payload bytes sent in one call, at most: the peer accepts messages of 256 KiB.
    pub batch_bytes: usize,
    /// How long one call may take.
    pub call: Duration,
    /// How long a claim holds. A relay that froze for longer is fenced off. Longer than `call`.
    pub lease: Duration,
    /// Refusals after which an event becomes a dead letter.
    pub attempts: u32,
    /// How long it goes on delivering what is due after it was asked to stop.
    pub drain: Duration,
}

impl Default for RelaySettings {
    fn default() -> Self {
        RelaySettings {
            poll: Duration::from_millis(250),
            batch: 100,
            batch_bytes: 192 * 1024,
            call: Duration::from_secs(5),
            lease: Duration::from_secs(15),
            attempts: 12,
            drain: Duration::from_secs(5),
        }
    }
}

/// The relay of one service's outbox: one lane per peer, so that a peer that is down holds up nobody else's events.
#[derive(Clone)]
pub struct Relay {
    db: Db,
    source: &'static str,
    outbox: Outbox,
    clock: Clock,
    targets: HashMap<&'static str, Arc<dyn Deliver>>,
    settings: RelaySettings,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Relay {
    /// A relay for the events recorded through `outbox` in `db`. `source` names the service in metrics; `clock` makes
    /// fences. Every target that is ever recorded needs its [`Deliver`]: events for others stay where they are.
    pub fn new(
        source: &'static str,
        db: Db,
        outbox: Outbox,
        clock: Clock,
        targets: HashMap<&'static str, Arc<dyn Deliver>>,
    ) -> Self {
        Relay { db, source, outbox, clock, targets, settings: RelaySettings::default() }
    }

    /// The same relay with other settings.
    #[must_use]
    pub fn with_settings(mut self, settings: RelaySettings) -> Self {
        self.settings = settings;
        self
    }

    /// Delivers until `shutdown`, then what is still due for at most [`RelaySettings::drain`].
    // Not `async fn`: see `db::Db::open`.
    pub fn run(self, shutdown: CancellationToken) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let targets: Vec<&'static str> = self.targets.keys().copied().collect();
            let mut lanes = JoinSet::new();
            for (target, deliver) in self.targets {
                let (source, db, clock) = (self.source, self.db.clone(), self.clock.clone());
                let settings = self.settings.clone();
                let lane = move || {
                    Lane::new(
                        source,
                        target,
                        db.clone(),
                        clock.clone(),
                        Arc::clone(&deliver),
                        settings.clone(),
                    )
                };
                lanes.spawn(keep_up(source, target, lane, self.outbox.clone(), shutdown.clone()));
            }
            let gauges = shutdown.child_token();
            let measuring = tokio::spawn(depth::measure(self.db, self.source, targets, gauges.clone()));
            while let Some(lane) = lanes.join_next().await {
                if let Err(error) = lane {
                    tracing::error!(source = self.source, %error, "a lane of the relay ended early");
                }
            }
            gauges.cancel();
            if measuring.await.is_err() {
                tracing::error!(source = self.source, "the outbox gauges ended early");
            }
        })
    }
}

/// Runs a lane until it ends as it was asked to. One that panics is started again: its peer's events would wait until
/// the process restarts, and nothing else would show it.
async fn keep_up(
    source: &'static str,
    target: &'static str,
    lane: impl Fn() -> Lane + Send,
    outbox: Outbox,
    shutdown: CancellationToken,
) {
    loop {
        // What the lane had in memory goes with it; the new one begins with what is in the database.
        let run = AssertUnwindSafe(lane().run(outbox.listen(target), shutdown.clone()));
        if run.catch_unwind().await.is_ok() {
            return;
        }
        tracing::error!(source, target_peer = target, "a lane of the relay panicked and is started again");
        metrics::counter!("relay_lane_panics_total", "source" => source, "target" => target).increment(1);
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(RESTART_PAUSE) => {}
        }
    }
}
