//! Work that goes on beside the calls.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use audit::Sealer;
use db::Db;
use futures::FutureExt;
use futures::future::BoxFuture;
use outbox::{Relay, Sweep};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Between a crash of a worker and its next start.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// Between two sweeps of the answers kept for retries.
const FORGET_EVERY: Duration = Duration::from_secs(600);

type Run = Arc<dyn Fn(CancellationToken) -> BoxFuture<'static, ()> + Send + Sync>;

/// When a worker is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// First: it would only take up more work.
    Claiming,
    /// After the calls: it carries away what they left.
    Draining,
}

/// A named task of a service: started when the process serves, started again if it panics, asked to stop by the token
/// it is given.
#[derive(Clone)]
pub struct Worker {
    name: &'static str,
    stage: Stage,
    run: Run,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("name", &self.name).field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker that claims work of its own: timers, assignment, sweeps. Stopped before the calls; what it has begun it
    /// may finish, within some seconds.
    pub fn new<F, Fut>(name: &'static str, run: F) -> Self
    where
        F: Fn(CancellationToken) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self::at(Stage::Claiming, name, run)
    }

    /// The service's relay. Stopped after the calls, so that it delivers what they recorded.
    pub fn relay(relay: Relay) -> Self {
        Self::at(Stage::Draining, "relay", move |stop| relay.clone().run(stop))
    }

    /// The sweep of inbox and outbox.
    pub fn sweep(sweep: Sweep) -> Self {
        Self::at(Stage::Claiming, "outbox sweep", move |stop| sweep.clone().run(stop))
    }

    /// The sealer of the service's audit records. Stopped after the calls, so that it seals what they recorded.
    pub fn sealer(sealer: Sealer) -> Self {
        Self::at(Stage::Draining, "audit sealer", move |stop| sealer.clone().run(stop))
    }

    /// Forgets the answers kept for retries (see [`db::once`]) once nobody can ask for them again.
    pub fn forget_answers(db: Db) -> Self {
        Self::at(Stage::Claiming, "answer sweep", move |stop| forget_answers(db.clone(), stop))
    }

    fn at<F, Fut>(stage: Stage, name: &'static str, run: F) -> Self
    where
        F: Fn(CancellationToken) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Worker { name, stage, run: Arc::new(move |stop| run(stop).boxed()) }
    }
}

async fn forget_answers(db: Db, stop: CancellationToken) {
    loop {
        match db.write_system(|tx| Box::pin(db::forget_expired(tx))).await {
            // A limited number at a time, so that callers' writes have their turn in between.
            Ok(1..) if !stop.is_cancelled() => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "old answers not forgotten; tried again later"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(FORGET_EVERY) => {}
        }
    }
}

/// The running workers of one stage.
#[derive(Debug)]
pub(crate) struct Crew {
    stop: CancellationToken,
    running: JoinSet<()>,
}

impl Crew {
    /// Nobody yet.
    pub(crate) fn new() -> Self {
        Crew { stop: CancellationToken::new(), running: JoinSet::new() }
    }

    /// Starts those of a service's workers that belong to `stage`.
    pub(crate) fn join(&mut self, service: &'static str, workers: &[Worker], stage: Stage) {
        for worker in workers.iter().filter(|worker| worker.stage == stage) {
            self.running.spawn(supervise(service, worker.clone(), self.stop.clone()));
        }
    }

    /// Asks all to stop and waits for them for at most `patience`; then they are dropped. Says whether all ended.
    pub(crate) async fn stop(mut self, patience: Duration) -> bool {
        self.stop.cancel();
        let all_ended = async { while self.running.join_next().await.is_some() {} };
        tokio::time::timeout(patience, all_ended).await.is_ok()
    }
}

/// Runs a worker until it ends after `stop`; one that panics or ends early is started again.
async fn supervise(service: &'static str, worker: Worker, stop: CancellationToken) {
    let name = worker.name;
    while !stop.is_cancelled() {
        // A task of its own contains the panic; dropped with us, it is aborted.
        let mut run = JoinSet::new();
        run.spawn((worker.run)(stop.clone()));
        match run.join_next().await {
            _ if stop.is_cancelled() => return,
            Some(Err(error)) => {
                tracing::error!(service, worker = name, %error, "worker crashed; starting it again")
            }
            Some(Ok(())) | None => tracing::warn!(service, worker = name, "worker ended; starting it again"),
        }
        metrics::counter!("worker_restarts_total", "service" => service, "worker" => name).increment(1);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(RESTART_AFTER) => {}
        }
    }
}
