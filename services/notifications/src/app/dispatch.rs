//! The queue of one channel at work: claim what is due, carry it, write down what became of it.
//!
//! Each channel has its own places, so that a mail server that hangs holds up no webhook. What is carried runs beside the loop; the loop
//! claims whenever places are free.

use std::sync::Arc;
use std::time::Duration;

use kernel::OrgId;
use outbox::Woken;
use tokio::sync::broadcast::Receiver;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::App;
use super::deliver::Carrier;
use super::enqueue::DELIVERY_TOPIC;
use crate::domain::backoff;
use crate::domain::delivery::{Channel, Outcome, Why};
use crate::error::Error;
use crate::store::delivery_claims::{self, Claimed};
use crate::store::destinations;

/// How long one attempt may take.
pub const CARRY: Duration = Duration::from_secs(40);

/// How long a claim holds: an attempt, and the time to write down what became of it.
const LEASE: Duration = Duration::from_secs(60);

/// How long what is under way may take after the service was asked to stop. What is cut off is carried again.
const LAST: Duration = Duration::from_secs(4);

/// Between two looks while the database cannot be reached, and while others look at all that is due.
const UNREACHABLE: Duration = Duration::from_secs(1);
const CONTENDED: Duration = Duration::from_millis(50);

/// How often it is tried to write down what became of an attempt, and the first of the growing pauses in between.
const SETTLE_TRIES: u32 = 6;
const SETTLE_PAUSE: Duration = Duration::from_millis(200);

/// How fast a channel goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Deliveries under way at once, in this process.
    pub at_once: usize,
    /// Deliveries under way at once to one destination, in all processes.
    pub per_destination: usize,
    /// How long one attempt may take.
    pub carry: Duration,
    /// How long a claim holds; longer than `carry`.
    pub lease: Duration,
    /// Between two looks at least, for deliveries of other processes whose wake-up was lost.
    pub poll: Duration,
}

impl Pace {
    /// The usual pace.
    pub const fn usual(at_once: usize, per_destination: usize, poll: Duration) -> Self {
        Self { at_once, per_destination, carry: CARRY, lease: LEASE, poll }
    }
}

/// Carries the deliveries of one channel until `stop`.
pub async fn dispatch(
    app: Arc<App>,
    channel: Channel,
    carrier: Arc<dyn Carrier>,
    pace: Pace,
    stop: CancellationToken,
) {
    let mut bell = app.wake.subscribe(DELIVERY_TOPIC);
    let mut running = JoinSet::new();
    let mut turn = None;
    release(&app, channel).await;
    while !stop.is_cancelled() {
        while let Some(ended) = running.try_join_next() {
            warn_of_panic(channel, &ended);
        }
        let free = pace.at_once.saturating_sub(running.len());
        let pause = if free == 0 {
            pace.poll
        } else {
            claim(&app, channel, &carrier, pace, free, &mut turn, &mut running).await
        };
        if pause.is_zero() {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = rung(&mut bell, channel) => {}
            Some(ended) = running.join_next() => warn_of_panic(channel, &ended),
            () = sleep(pause) => {}
        }
    }
    let all_end = async { while running.join_next().await.is_some() {} };
    if timeout(LAST, all_end).await.is_err() {
        tracing::info!(channel = channel.as_str(), "deliveries were cut off; they are carried again");
    }
}

/// Waits for a hint about a channel. Who lags may have missed one.
async fn rung(bell: &mut Receiver<Woken>, channel: Channel) {
    while let Ok(hint) = bell.recv().await {
        if hint.key == channel.as_str() {
            return;
        }
    }
}

fn warn_of_panic(channel: Channel, ended: &Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(channel = channel.as_str(), %error, "a delivery crashed; it is carried again");
        metrics::counter!("delivery_panics_total", "channel" => channel.as_str()).increment(1);
    }
}

/// What a process left claimed that did not end in order, is free at once where a database has one process; else the claims end.
async fn release(app: &App, channel: Channel) {
    if app.db.engine() != db::Engine::Sqlite {
        return;
    }
    let release = app.db.write_system(move |tx| {
        Box::pin(async move {
            let now = tx.now().await?;
            delivery_claims::release_all(tx, channel, now).await?;
            destinations::look_at_all(tx, channel, now).await
        })
    });
    if let Err(error) = release.await {
        tracing::warn!(channel = channel.as_str(), %error, "claims of before end by themselves");
    }
}

/// Claims once, begins to carry what was claimed, and tells how long to wait for the next look; zero: look again.
async fn claim(
    app: &Arc<App>,
    channel: Channel,
    carrier: &Arc<dyn Carrier>,
    pace: Pace,
    free: usize,
    turn: &mut Option<OrgId>,
    running: &mut JoinSet<()>,
) -> Duration {
    // Earlier than the claim begins by the database's time, so that an attempt ends before its claim does.
    let begun = Instant::now();
    // A look is a read, so that an idle process costs no commit.
    let looked = app.until_due(channel).await;
    let claimed = match looked {
        Ok(Some(Duration::ZERO)) => app.claim_deliveries(channel, pace, turn.clone(), free).await,
        Ok(Some(wait)) => return wait.min(pace.poll),
        Ok(None) => return pace.poll,
        Err(error) => Err(error),
    };
    match claimed {
        Ok(batch) => {
            let nothing = batch.deliveries.is_empty();
            *turn = batch.turn;
            for one in batch.deliveries {
                let (app, carrier) = (Arc::clone(app), Arc::clone(carrier));
                running.spawn(carry(app, carrier, batch.fence, one, begun + pace.carry));
            }
            if nothing { CONTENDED } else { Duration::ZERO }
        }
        Err(error) => {
            tracing::warn!(channel = channel.as_str(), %error, "no look for deliveries; tried again");
            UNREACHABLE
        }
    }
}

impl App {
    /// How long until something of a channel is due; none: nothing waits.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn until_due(&self, channel: Channel) -> Result<Option<Duration>, Error> {
        let read = self.db.read_system(move |tx| {
            Box::pin(async move {
                let now = tx.now().await?;
                Ok::<_, Error>((now, destinations::next_time(tx, channel).await?))
            })
        });
        let (now, next) = read.await?;
        let late = next.map_or(Duration::ZERO, |next| now.since(next));
        metrics::gauge!("delivery_lag_seconds", "channel" => channel.as_str()).set(late.as_secs_f64());
        Ok(next.map(|next| next.since(now)))
    }
}

/// Carries one delivery and writes down what became of it.
async fn carry(app: Arc<App>, carrier: Arc<dyn Carrier>, fence: Uuid, one: Claimed, until: Instant) {
    let channel = one.job.channel.as_str();
    let outcome = if backoff::is_hopeless(one.tries) {
        Outcome::Refused(Why::from("it was begun too often without an end"))
    } else {
        let carried = timeout_at(until, carrier.carry(one.job.clone())).await;
        carried.unwrap_or(Outcome::Unreachable { why: Why::from("no answer in time"), not_before: None })
    };
    let ending = outcome.ending().as_str();
    metrics::counter!("deliveries_total", "channel" => channel, "outcome" => ending).increment(1);
    let mut pause = SETTLE_PAUSE;
    for _ in 0..SETTLE_TRIES {
        match app.settle(fence, &one, &outcome).await {
            Ok(true) => return,
            Ok(false) => {
                metrics::counter!("deliveries_fenced_off_total", "channel" => channel).increment(1);
                return;
            }
            Err(error) => tracing::warn!(channel, %error, "a delivery's end is not written down yet"),
        }
        sleep(pause).await;
        pause *= 2;
    }
}
