//! Ending in order, so that no call fails and nothing accepted is left behind.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, timeout};

use crate::error::StartError;
use crate::start::{Listening, Running};

/// For workers to finish what they have begun.
const WORKERS: Duration = Duration::from_secs(3);

/// For calls at work, and for streams to say goodbye.
const CALLS: Duration = Duration::from_secs(10);

/// For connections to close once they are cut.
const CUT: Duration = Duration::from_millis(500);

/// For the relay: its own drain and the write that follows.
const RELAY: Duration = Duration::from_millis(5_500);

/// For databases to close.
const CLOSE: Duration = Duration::from_secs(1);

/// The whole, whatever the parts say. With the balancer's wait (5 s at most) the parts add up to exactly this.
const ALL: Duration = Duration::from_secs(25);

impl Running {
    /// Ends: NOT_SERVING, the balancer's wait, no new work claimed, streams ended with a resume token, calls finished,
    /// relay drained, databases closed. Takes at most 25 s; says whether everything ended by itself.
    // Not `async fn`: the body of one is compiled again in each crate that awaits it.
    pub fn stop(self) -> BoxFuture<'static, bool> {
        Box::pin(async move {
            let begun = Instant::now();
            let clean = timeout(ALL, self.in_order()).await.unwrap_or(false);
            tracing::info!(clean, took_ms = begun.elapsed().as_millis(), "stopped");
            clean
        })
    }

    async fn in_order(self) -> bool {
        // Whoever asks is told to go elsewhere, while calls are still taken.
        self.ready.set(false);
        self.health.stopping().await;
        tokio::time::sleep(self.balancer_wait).await;
        let workers = self.claiming.stop(WORKERS).await;
        // Before GOAWAY: a stream that ends itself carries its resume token.
        self.streams_end.cancel();
        self.health.ended().await;
        let calls = self.public.close(CALLS).await;
        // Calls are over, so nothing is recorded any more: what is due now is all there is.
        let relay = self.draining.stop(RELAY).await;
        let databases = timeout(CLOSE, self.databases.close()).await.is_ok();
        // Last, so that probes and metrics are answered to the end.
        self.internal.close(Duration::ZERO).await;
        drop(self.upkeep);
        for (part, ended) in
            [("workers", workers), ("calls", calls), ("relay", relay), ("databases", databases)]
        {
            if !ended {
                tracing::warn!(part, "did not end in its time and was cut off");
            }
        }
        workers && calls && relay && databases
    }
}

impl Listening {
    /// Lets connections finish for `patience`, then cuts them. Says whether none had to be.
    async fn close(mut self, patience: Duration) -> bool {
        self.stop.finish.cancel();
        if timeout(patience, &mut self.served).await.is_ok() {
            return true;
        }
        self.stop.cut.cancel();
        // Cut connections end at their next turn; a handler that never yields would not.
        if timeout(CUT, &mut self.served).await.is_err() {
            tracing::warn!("connections left open");
        }
        false
    }
}

/// Waits for SIGTERM or Ctrl-C. A second one ends the process at once, for people in a hurry.
///
/// # Errors
/// [`StartError::Process`] if the system refuses handlers.
pub async fn until_asked_to_stop() -> Result<(), StartError> {
    let refused = |error: std::io::Error| StartError::Process(format!("signals cannot be caught: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("asked to stop");
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(())
}
