//! One peer's share of the relay: claim, send, mark, and again.

use std::sync::Arc;
use std::time::Duration;

use db::{Db, DbError, Engine};
use kernel::Clock;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::backoff;
use crate::deliver::Deliver;
use crate::queue::{self, Claimed};
use crate::relay::RelaySettings;
use crate::round::{Round, Verdicts};

/// Between two attempts while draining, at most.
const AT_THE_END: Duration = Duration::from_millis(200);

pub(crate) struct Lane {
    source: &'static str,
    target: &'static str,
    db: Db,
    clock: Clock,
    deliver: Arc<dyn Deliver>,
    settings: RelaySettings,
    /// Rounds in a row in which the peer could not be reached.
    unreachable: u32,
    /// Writes in a row that the database refused.
    unsaved: u32,
    released: Option<Instant>,
}

/// What is to be written about the last round.
#[derive(Clone)]
struct Settlement {
    fence: Uuid,
    verdicts: Arc<Verdicts>,
    unreachable_wait: Duration,
}

impl Lane {
    pub(crate) fn new(
        source: &'static str,
        target: &'static str,
        db: Db,
        clock: Clock,
        deliver: Arc<dyn Deliver>,
        settings: RelaySettings,
    ) -> Self {
        Lane { source, target, db, clock, deliver, settings, unreachable: 0, unsaved: 0, released: None }
    }

    /// Runs until `shutdown` and then until nothing is due, for at most the drain time.
    pub(crate) async fn run(mut self, mut bell: watch::Receiver<u64>, shutdown: CancellationToken) {
        let mut settlement: Option<Settlement> = None;
        let mut drained_by: Option<Instant> = None;
        loop {
            if shutdown.is_cancelled() {
                let until = *drained_by.get_or_insert_with(|| Instant::now() + self.settings.drain);
                if Instant::now() >= until {
                    break;
                }
            }
            // Seen before looking: a ring during the look leads to another one.
            bell.mark_unchanged();
            let fence = self.clock.new_id();
            match self.settle_and_claim(settlement.clone(), fence).await {
                Ok(claimed) => {
                    self.unsaved = 0;
                    settlement = None;
                    if claimed.is_empty() {
                        if shutdown.is_cancelled() {
                            break;
                        }
                        self.idle(&mut bell, &shutdown).await;
                    } else {
                        let round = self.send(&claimed).await;
                        let pause = round.pause;
                        settlement = Some(Settlement {
                            fence,
                            verdicts: Arc::new(round.verdicts),
                            unreachable_wait: round.wait,
                        });
                        if pause && shutdown.is_cancelled() {
                            break;
                        }
                        if pause {
                            // Free the claims before the wait, for a relay that can reach the peer.
                            settlement = self.settle(settlement).await;
                            sleep_unless(&shutdown, round.wait).await;
                        }
                    }
                }
                Err(error) => {
                    self.unsaved = self.unsaved.saturating_add(1);
                    tracing::warn!(source = self.source, target_peer = self.target, %error, "outbox not reachable");
                    let wait = self.wait(self.unsaved);
                    if shutdown.is_cancelled() {
                        // It may yet come back within the drain time.
                        tokio::time::sleep(wait.min(AT_THE_END)).await;
                    } else {
                        sleep_unless(&shutdown, wait).await;
                    }
                }
            }
        }
        // What cannot be written now is delivered again after the lease, and dropped there by the inbox.
        self.settle(settlement).await;
    }

    /// Waits until there may be something to do.
    async fn idle(&self, bell: &mut watch::Receiver<u64>, shutdown: &CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                rung = bell.changed() => if rung.is_ok() { return },
                () = tokio::time::sleep(self.settings.poll) => {}
            }
            let target = self.target;
            let due = self.db.read_system(move |tx| Box::pin(queue::anything_due(tx, target))).await;
            // On an error too: the claim will meet it again and wait as long as it takes.
            if due.unwrap_or(true) {
                return;
            }
        }
    }

    /// Marks the last round and claims the next, in one write.
    async fn settle_and_claim(
        &mut self,
        settlement: Option<Settlement>,
        fence: Uuid,
    ) -> Result<Vec<Claimed>, DbError> {
        let (source, target, attempts) = (self.source, self.target, self.settings.attempts);
        let (lease, limit) = (self.settings.lease, i64::from(self.settings.batch));
        let first_ever = self.released.is_none() && self.db.engine() == Engine::Sqlite;
        let release = self.released.is_none_or(|at| at.elapsed() >= self.settings.poll);
        let claimed = self
            .db
            // Lost with the power or with the database server, what is marked is delivered again and what is claimed is claimed again.
            .write_system_relaxed(move |tx| {
                Box::pin(async move {
                    if let Some(last) = settlement {
                        last.write(tx, source, target, attempts).await?;
                    }
                    if first_ever {
                        queue::release_all(tx, target).await?;
                    } else if release {
                        queue::release_expired(tx, target).await?;
                    }
                    queue::claim(tx, target, fence, lease, limit).await
                })
            })
            .await?;
        if release {
            self.released = Some(Instant::now());
        }
        Ok(claimed)
    }

    /// Marks the last round on its own. Returns it again if it could not be written.
    async fn settle(&self, settlement: Option<Settlement>) -> Option<Settlement> {
        let last = settlement.clone()?;
        let (source, target, attempts) = (self.source, self.target, self.settings.attempts);
        let written: Result<(), DbError> = self
            .db
            .write_system_relaxed(move |tx| {
                Box::pin(async move { last.write(tx, source, target, attempts).await })
            })
            .await;
        if written.is_err() { settlement } else { None }
    }

    async fn send(&mut self, claimed: &[Claimed]) -> Sent {
        let round = Round::new(self.source, self.target, self.deliver.as_ref(), &self.settings);
        let verdicts = round.send(claimed).await;
        if verdicts.any_unreachable() {
            self.unreachable = self.unreachable.saturating_add(1);
        } else {
            self.unreachable = 0;
        }
        let wait = self.wait(self.unreachable);
        let pause = verdicts.all_unreachable();
        if pause {
            tracing::warn!(
                source = self.source,
                target_peer = self.target,
                events = claimed.len(),
                retry_ms = wait.as_millis(),
                reason = verdicts.first_reason(),
                "peer unreachable"
            );
        }
        Sent { verdicts, wait, pause }
    }

    fn wait(&self, failures: u32) -> Duration {
        backoff::wait(failures.max(1), backoff::UNREACHABLE_CAP, jitter(&self.clock))
    }
}

/// How a round went.
struct Sent {
    verdicts: Verdicts,
    /// Before the unreachable part is tried again.
    wait: Duration,
    /// Nothing got through: the next events would not either.
    pause: bool,
}

impl Settlement {
    async fn write(
        &self,
        tx: &mut db::Tx,
        source: &'static str,
        target: &'static str,
        attempts: u32,
    ) -> Result<(), DbError> {
        self.verdicts.write(tx, self.fence, self.unreachable_wait, source, target, attempts).await
    }
}

/// A number that differs between relays: the last byte of a fresh id is random.
pub(crate) fn jitter(clock: &Clock) -> u8 {
    clock.new_id().as_bytes()[15]
}

async fn sleep_unless(shutdown: &CancellationToken, wait: Duration) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = tokio::time::sleep(wait) => {}
    }
}
