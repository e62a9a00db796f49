//! What goes on beside the calls: queues are served, leases end, snoozes are over, timers fire. Every replica does all of it; who
//! comes second finds nothing left to do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{OrgId, TeamId};
use outbox::Woken;
use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::app::watch_presence::PRESENCE;
use crate::app::{App, QUEUE};

/// After a batch that another transaction was in the way of.
const PAUSE: Duration = Duration::from_millis(20);

/// Attempts at one batch before the next sweep is left to try again.
const TRIES: u32 = 10;

type Queue = (OrgId, TeamId);

/// Serves queues as they are woken, and once a sweep those whose wake-up was lost.
pub async fn assign(app: Arc<App>, stop: CancellationToken) {
    let mut hints = app.wake.subscribe(QUEUE);
    let mut sweep = interval(app.settings.sweep());
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut assigner = Assigner::new(app, stop.clone());
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            hint = hints.recv() => match hint {
                Ok(woken) => assigner.wake(&woken),
                Err(RecvError::Lagged(_)) => assigner.sweep().await,
                // Not while the application lives, which holds the other end.
                Err(RecvError::Closed) => break,
            },
            Some(served) = assigner.running.join_next(), if !assigner.running.is_empty() => assigner.ended(served),
            _ = sweep.tick() => assigner.sweep().await,
        }
    }
    // What was begun is finished: it takes one batch each.
    while assigner.running.join_next().await.is_some() {}
}

/// The queues that are being served by this process: each by one task, so that replicas and not tasks compete.
struct Assigner {
    app: Arc<App>,
    stop: CancellationToken,
    places: Arc<Semaphore>,
    running: JoinSet<Queue>,
    /// Whether a queue that is being served was woken again meanwhile.
    again: HashMap<Queue, bool>,
}

impl Assigner {
    fn new(app: Arc<App>, stop: CancellationToken) -> Self {
        let places = usize::try_from(app.settings.assign_at_once.max(1)).unwrap_or(1);
        Self {
            app,
            stop,
            places: Arc::new(Semaphore::new(places)),
            running: JoinSet::new(),
            again: HashMap::new(),
        }
    }

    fn wake(&mut self, woken: &Woken) {
        if let Ok(team) = TeamId::parse(&woken.key) {
            self.start((woken.org.clone(), team));
        }
    }

    async fn sweep(&mut self) {
        match self.app.due_queues().await {
            Ok(due) => due.into_iter().for_each(|queue| self.start(queue)),
            Err(error) => tracing::warn!(%error, "queues not looked at; tried again soon"),
        }
    }

    fn start(&mut self, queue: Queue) {
        if let Some(again) = self.again.get_mut(&queue) {
            *again = true;
            return;
        }
        self.again.insert(queue.clone(), false);
        let (app, stop, places) = (Arc::clone(&self.app), self.stop.clone(), Arc::clone(&self.places));
        self.running.spawn(async move {
            // The semaphore is never closed; without a permit there only is more at once.
            let _place = places.acquire().await.ok();
            drain(&app, &queue, &stop).await;
            queue
        });
    }

    fn ended(&mut self, served: Result<Queue, tokio::task::JoinError>) {
        match served {
            Ok(queue) => {
                if self.again.remove(&queue) == Some(true) {
                    self.start(queue);
                }
            }
            Err(error) => {
                tracing::error!(%error, "a queue's task ended early");
                // Which queue it was is not known: all may be started anew. The lock keeps them apart.
                self.again.clear();
            }
        }
    }
}

/// Serves a queue until nothing is left that anybody could take.
async fn drain(app: &App, (org, team): &Queue, stop: &CancellationToken) {
    let mut tries = 0;
    while !stop.is_cancelled() {
        match app.serve_queue(org, *team).await {
            Ok(served) => {
                tries = 0;
                metrics::counter!("routing_assigned_total").increment(served.assigned as u64);
                metrics::counter!("routing_offered_total").increment(served.offered as u64);
                if !served.more {
                    return;
                }
            }
            Err(error) => {
                tries += 1;
                if tries >= TRIES {
                    tracing::warn!(%error, "a queue is not served; tried again soon");
                    return;
                }
                sleep(PAUSE * tries).await;
            }
        }
    }
}

/// Takes agents offline whose lease is over.
pub async fn expire_leases(app: Arc<App>, stop: CancellationToken) {
    while rested(&app, &stop).await {
        if let Err(error) = app.expire_leases().await {
            tracing::warn!(%error, "leases not ended; tried again soon");
        }
    }
}

/// Opens conversations whose snooze is over.
pub async fn wake_snoozed(app: Arc<App>, stop: CancellationToken) {
    while rested(&app, &stop).await {
        if let Err(error) = app.wake_snoozed(&stop).await {
            tracing::warn!(%error, "snoozed conversations not opened; tried again soon");
        }
    }
}

/// Looks for timers without a rest in between, at most: one that comes up again and again does not keep this process busy.
const LOOKS: usize = 50;

/// Fires timers that are due.
pub async fn fire_timers(app: Arc<App>, stop: CancellationToken) {
    while rested(&app, &stop).await {
        // More may be due than one look takes, and what fired may have set others.
        for _ in 0..LOOKS {
            if stop.is_cancelled() {
                return;
            }
            match app.fire_due().await {
                Ok(0) => break,
                Ok(fired) => metrics::counter!("routing_timers_fired_total").increment(fired as u64),
                Err(error) => {
                    tracing::warn!(%error, "timers not fired; tried again soon");
                    break;
                }
            }
        }
    }
}

/// Batches counted without a rest in between, at most.
const BATCHES: usize = 50;

/// Counts what happened, for reports.
pub async fn count_for_reports(app: Arc<App>, stop: CancellationToken) {
    while rested(&app, &stop).await {
        for _ in 0..BATCHES {
            if stop.is_cancelled() {
                return;
            }
            match app.count_for_reports().await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "what happened is not counted; tried again soon");
                    break;
                }
            }
        }
    }
}

/// Between two looks for changes of inboxes that are old enough to be forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Forgets changes of inboxes that nobody comes back for.
pub async fn forget_inbox_changes(app: Arc<App>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(FORGET_EVERY) => {}
        }
        match app.forget_inbox_changes().await {
            Ok(gone) => metrics::counter!("inbox_changes_forgotten_total").increment(gone),
            Err(error) => tracing::warn!(%error, "changes of inboxes are kept for longer; tried again soon"),
        }
    }
}

/// Between two measurements of the queues.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// Sets `routing_queue_waiting` (conversations that wait for an agent) and `routing_queue_age_seconds` (for how long the first of
/// them), of all organizations together: every replica says the same.
#[expect(clippy::cast_precision_loss, reason = "a gauge: counts stay far below 2^52")]
pub async fn measure_queues(app: Arc<App>, stop: CancellationToken) {
    loop {
        if let Ok((waiting, age)) = app.queue_depth().await {
            metrics::gauge!("routing_queue_waiting").set(waiting as f64);
            metrics::gauge!("routing_queue_age_seconds").set(age.unwrap_or_default().as_secs_f64());
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(MEASURE_EVERY) => {}
        }
    }
}

/// Between two looks for conversations where nobody is any more.
const LEAVE_EVERY: Duration = Duration::from_secs(5);

/// Hears from other processes who is at which conversation.
pub async fn hear_presence(app: Arc<App>, stop: CancellationToken) {
    let mut told = app.wake.subscribe(PRESENCE);
    let mut sweep = interval(LEAVE_EVERY);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            told = told.recv() => match told {
                Ok(woken) => app.presence.hear(&woken.org, &woken.key, app.clock.now()),
                // What was missed is said again within seconds.
                Err(RecvError::Lagged(_)) => {}
                // Not while the application lives, which holds the other end.
                Err(RecvError::Closed) => return,
            },
            _ = sweep.tick() => app.presence.forget(app.clock.now()),
        }
    }
}

/// Waits for the next sweep; false when asked to stop.
async fn rested(app: &App, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = sleep(app.settings.sweep()) => true,
    }
}
