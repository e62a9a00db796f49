//! "Look again" hints between tasks and processes.
//!
//! A hint says that something of a topic may have changed for a key of an organization. It is never the record: whoever
//! waits for one also looks by itself now and then. Inside a process hints cost a lock and a notification; with NATS
//! they also reach the other processes, on subjects `backchannel.<topic>.<organization>` with the key as payload. NATS
//! being down at the start or later fails and blocks nothing.

mod exchange;
mod nats;

use std::str::FromStr;
use std::sync::Arc;

use db::BoxFuture;
use kernel::OrgId;
use thiserror::Error;
use tokio::sync::{Notify, broadcast, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

use exchange::Exchange;
use nats::Hint;

/// Hints waiting for a NATS that is slow or away; more are dropped.
const OUTBOUND: usize = 1_024;

/// A hint that something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Woken {
    /// Whose data.
    pub org: OrgId,
    /// What of it, as named by the publisher: a conversation id, a subject.
    pub key: String,
}

/// The address of NATS could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not an address of a NATS server: {0}")]
pub struct BadNatsAddress(String);

/// Asks the NATS at `address` once whether it is there: its version, or why not. For whoever checks a configuration.
///
/// # Errors
/// What keeps it from answering, in words that hold no password.
// Not `async fn`: the body of one is compiled again in each crate that awaits it.
pub fn nats_version(address: &str) -> BoxFuture<'_, Result<String, String>> {
    Box::pin(async move {
        let server = async_nats::ServerAddr::from_str(address).map_err(|error| error.to_string())?;
        nats::version(&server).await.map_err(|error| error.to_string())
    })
}

/// Publishes and hears hints. Clones share everything.
#[derive(Clone)]
pub struct Wake {
    exchange: Arc<Exchange>,
    outbound: Option<mpsc::Sender<Hint>>,
    /// Ends the NATS task with the last clone.
    _session: Option<Arc<DropGuard>>,
}

impl std::fmt::Debug for Wake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wake").field("nats", &self.outbound.is_some()).finish_non_exhaustive()
    }
}

impl Wake {
    /// Hints inside this process only.
    pub fn local() -> Self {
        Wake { exchange: Arc::default(), outbound: None, _session: None }
    }

    /// Hints inside this process and, while NATS is there, between all processes that share it. Returns at once and
    /// connects in the background; must be called in a tokio runtime.
    ///
    /// # Errors
    /// [`BadNatsAddress`] if `address` (`nats://[user:password@]host:4222`, `tls://...`) cannot be read.
    pub fn nats(address: &str) -> Result<Self, BadNatsAddress> {
        // The text may hold a password: the error names the reason only.
        let address =
            async_nats::ServerAddr::from_str(address).map_err(|error| BadNatsAddress(error.to_string()))?;
        let exchange = Arc::<Exchange>::default();
        let (sender, outbound) = mpsc::channel(OUTBOUND);
        let stop = CancellationToken::new();
        tokio::spawn(nats::keep_connected(address, Arc::downgrade(&exchange), outbound, stop.clone()));
        Ok(Wake { exchange, outbound: Some(sender), _session: Some(Arc::new(stop.drop_guard())) })
    }

    /// Says that `key` of `topic` changed for `org`. Never waits and never fails; call it after the commit
    /// ([`db::Tx::after_commit`]), or whoever is woken sees the state before.
    pub fn publish(&self, topic: &'static str, org: &OrgId, key: &str) {
        self.exchange.announce(topic, org, key);
        if let Some(outbound) = &self.outbound {
            // A full queue means that NATS is away: the hint is lost, the others look by themselves.
            let hint = Hint { topic, org: org.clone(), key: key.to_owned() };
            if outbound.try_send(hint).is_err() {
                metrics::counter!("wake_dropped_total", "topic" => topic).increment(1);
            }
        }
    }

    /// All hints of a topic, for workers that serve every organization. A receiver that lags misses hints.
    pub fn subscribe(&self, topic: &'static str) -> broadcast::Receiver<Woken> {
        self.exchange.subscribe(topic)
    }

    /// The hints for one key, for streams: only those concerned are woken. Take it before the first look at the data.
    pub fn bell(&self, topic: &'static str, org: &OrgId, key: &str) -> Bell {
        let notify = self.exchange.hang(topic, org, key);
        Bell { notify, topic, org: org.clone(), key: key.to_owned(), exchange: Arc::clone(&self.exchange) }
    }
}

/// Rings when its key may have changed. Rings that come while nobody waits are kept, as one.
pub struct Bell {
    notify: Arc<Notify>,
    topic: &'static str,
    org: OrgId,
    key: String,
    exchange: Arc<Exchange>,
}

impl std::fmt::Debug for Bell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bell").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Bell {
    /// Waits until the key may have changed since the last call. Safe to drop and call again.
    pub async fn rung(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.exchange.take_down(self.topic, &self.org, &self.key, &self.notify);
    }
}
