//! What carries deliveries out: one carrier per channel.
//!
//! A delivery is claimed for the length of a lease, carried while no transaction is open, and marked. If the process ends in between,
//! the lease ends too and somebody carries it again: at least once, with the same id.

use std::collections::HashMap;
use std::sync::Arc;

use db::BoxFuture;

use crate::domain::delivery::{Channel, Job, Outcome};

/// Carries the deliveries of one channel. It may ask peers and the outside: no transaction is open.
pub trait Carrier: Send + Sync + 'static {
    /// Carries one delivery. What takes longer than [`crate::app::dispatch::CARRY`] is dropped and counts as [`Outcome::Unreachable`].
    ///
    /// Called again for the same delivery after an [`Outcome::Again`], and after a process ended between sending and marking.
    fn carry(&self, job: Job) -> BoxFuture<'_, Outcome>;
}

/// The carriers of this process. Deliveries of a channel without one wait for a process that has one.
#[derive(Clone, Default)]
pub struct Carriers(HashMap<Channel, Arc<dyn Carrier>>);

impl std::fmt::Debug for Carriers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Carriers {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// These and one more.
    #[must_use]
    pub fn with(mut self, channel: Channel, carrier: Arc<dyn Carrier>) -> Self {
        self.0.insert(channel, carrier);
        self
    }

    /// Whether deliveries of a channel are carried here.
    pub fn carries(&self, channel: Channel) -> bool {
        self.0.contains_key(&channel)
    }

    /// Each channel and its carrier.
    pub fn each(&self) -> impl Iterator<Item = (Channel, &Arc<dyn Carrier>)> {
        self.0.iter().map(|(channel, carrier)| (*channel, carrier))
    }
}
