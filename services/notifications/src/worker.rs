//! What goes on beside the calls: the poller behind lost wake-ups, retention, the sweep of the inbox.

mod deliveries;
mod devices;
mod excerpts;
mod plans;
mod webhooks;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use db::DbError;
use kernel::Timestamp;
use rpc::stream::Outage;
use runtime::Worker;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::NAME;
use crate::app::deliver::Carriers;
use crate::app::plan::Ways;
use crate::app::{App, Owner, forget};
use crate::config::NotificationsConfig;
use crate::store::heads;

/// How far most looks reach behind the one before: nearly every transaction commits within it.
const NEAR: Duration = Duration::from_secs(2);
/// How far a look now and then reaches: a head carries the time at which its transaction asked for it, and becomes
/// visible with the commit, at most 10 s later (the longest that a transaction may take) where nothing holds up the commit itself.
const FAR: Duration = Duration::from_secs(15);
/// One look in so many reaches far.
const FAR_EVERY: u32 = 16;
/// So often a look asks for the end of every feed that is followed, whenever it moved: for a commit that became visible late, and
/// for a database that came back as it was before, where nothing happened since that hides it.
const WHOLE_EVERY: Duration = Duration::from_secs(60);

/// Between two rounds of retention.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// The workers of the service.
pub(crate) fn workers(app: &Arc<App>, config: &NotificationsConfig, carriers: &Carriers) -> Vec<Worker> {
    let poll = config.poll(app.db.engine());
    let (polling, forgetting) = (Arc::clone(app), Arc::clone(app));
    let mut workers = vec![
        Worker::sealer(audit::Sealer::new(NAME, app.db.clone())),
        Worker::sweep(outbox::Sweep::new(app.db.clone())),
        Worker::forget_answers(app.db.clone()),
        Worker::new("feed poller", move |stop| poll_feeds(Arc::clone(&polling), poll, stop)),
        Worker::new("retention", move |stop| forget(Arc::clone(&forgetting), stop)),
        devices::forgetter(app, config.push.device_kept()),
        webhooks::teller(app),
        webhooks::forgetter(app, config.webhooks.events_kept()),
        excerpts::forgetter(app),
    ];
    if app.sends_email {
        workers.push(excerpts::looker(app));
    }
    workers.push(plans::planner(app, Ways::of(carriers, config.plan.undo())));
    workers.extend(deliveries::workers(app, carriers, config.delivery.pace(poll)));
    workers
}

/// Looks for feeds that grew, for all streams of the process at once, and wakes those streams that are not at the end. A wake-up
/// that never came (NATS was down, another replica wrote) costs so much time and nothing else.
async fn poll_feeds(app: Arc<App>, every: Duration, stop: CancellationToken) {
    let (mut looks, mut outage) = (Looks::default(), Outage::default());
    loop {
        let round = async {
            tokio::time::sleep(every).await;
            if app.listeners.is_empty() {
                // Whoever comes next reads the feed by itself first.
                (looks, outage) = (Looks::default(), Outage::default());
                return;
            }
            match look(&app, &mut looks).await {
                Ok(woken) => {
                    outage.ends();
                    metrics::counter!("feed_streams_woken_by_poller_total").increment(woken as u64);
                }
                Err(error) => {
                    tracing::warn!(%error, "no look for feeds that grew; tried again");
                    outage.goes_on(&app.listeners).await;
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = round => {}
        }
    }
}

/// When the last looks were, in the database's time. After an outage a look reaches back behind it.
#[derive(Debug, Clone, Copy, Default)]
struct Looks {
    count: u32,
    near: Option<Timestamp>,
    far: Option<Timestamp>,
    whole: Option<Instant>,
}

impl Looks {
    /// From where to look now.
    fn since(&self, now: Timestamp) -> Timestamp {
        let far = self.far.unwrap_or(now).minus(FAR);
        match self.near {
            Some(near) if !self.count.is_multiple_of(FAR_EVERY) => near.minus(NEAR),
            _ => far,
        }
    }

    /// Whether to ask for all that is followed this time, and not again for a while, even if it fails. Not at first: who follows then
    /// has just read.
    fn begin_whole(&mut self) -> bool {
        let due = self.whole.is_some_and(|last| last.elapsed() >= WHOLE_EVERY);
        if due || self.whole.is_none() {
            self.whole = Some(Instant::now());
        }
        due
    }

    /// The look is done.
    fn done(&mut self, now: Timestamp) {
        if self.near.is_none() || self.count.is_multiple_of(FAR_EVERY) {
            self.far = Some(now);
        }
        self.near = Some(now);
        self.count = self.count.wrapping_add(1);
    }
}

async fn look(app: &App, looks: &mut Looks) -> Result<usize, DbError> {
    let whole = looks.begin_whole();
    let (before, followed) = (*looks, if whole { app.listeners.watched() } else { Vec::new() });
    let asked: Vec<_> = followed.iter().map(|owner| (owner.org.clone(), owner.subject.clone())).collect();
    let read = app.db.read_system(move |tx| {
        Box::pin(async move {
            let now = tx.now().await?;
            let found = if whole {
                heads::list_of(tx, &asked).await?
            } else {
                heads::moved_since(tx, before.since(now)).await?
            };
            Ok::<_, DbError>((now, found))
        })
    });
    let (now, found) = read.await?;
    looks.done(now);
    // Without a head: nobody was ever told anything, or all of it is gone.
    let mut ends: HashMap<Owner, i64> = followed.into_iter().map(|owner| (owner, 0)).collect();
    ends.extend(found.into_iter().map(|moved| {
        let progress = moved.progress();
        (Owner { org: moved.org_id, subject: moved.subject }, progress)
    }));
    Ok(app.listeners.wake_elsewhere(ends.iter().map(|(owner, end)| (owner, *end))).await)
}

/// Removes what is kept no longer.
async fn forget(app: Arc<App>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(FORGET_EVERY) => {}
        }
        let forgotten = tokio::select! {
            () = stop.cancelled() => return,
            forgotten = forget::forget(&app.db, app.retention, app.clock.now()) => forgotten,
        };
        match forgotten {
            Ok(entries) => tracing::debug!(entries, "retention"),
            Err(error) => tracing::warn!(%error, "retention stopped early; goes on at the next round"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: i64) -> Timestamp {
        Timestamp::from_micros(number * 1_000_000)
    }

    // D3, fault 3
    #[tokio::test(start_paused = true)]
    async fn once_a_minute_a_look_asks_for_all_that_is_followed() {
        let mut looks = Looks::default();
        let mut whole = Vec::new();
        for number in 0..200 {
            if looks.begin_whole() {
                whole.push(number);
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(whole, [60, 120, 180]);
    }

    #[test]
    fn no_moment_is_left_out_and_a_late_commit_is_found_by_a_far_look() {
        let mut looks = Looks::default();
        assert_eq!(looks.since(second(100)), second(85));
        looks.done(second(100));
        assert_eq!(looks.since(second(101)), second(98));
        for number in 1..i64::from(FAR_EVERY) {
            looks.done(second(100 + number));
        }
        assert_eq!(looks.since(second(200)), second(85));
        looks.done(second(200));
        assert_eq!(looks.since(second(201)), second(198));
    }
}
