//! The service's own settings: section `[routing]`, environment `BACKCHANNEL_ROUTING__*`.

use std::time::Duration;

use serde::Deserialize;

/// Settings, each with the default that production uses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoutingConfig {
    /// Conversations assigned under one lock and in one commit, at most. Default 200.
    pub assign_batch: u32,
    /// Queues served at once by this process. Default 4.
    pub assign_at_once: u32,
    /// Milliseconds between looks for queues whose wake-up was lost, leases that are over, and snoozes whose time has
    /// come. Default 1,000.
    pub sweep_ms: u64,
}

impl Default for RoutingConfig {
    fn default() -> Self {
        Self { assign_batch: 200, assign_at_once: 4, sweep_ms: 1_000 }
    }
}

impl RoutingConfig {
    /// See [`RoutingConfig::sweep_ms`].
    #[must_use]
    pub fn sweep(&self) -> Duration {
        Duration::from_millis(self.sweep_ms.max(10))
    }
}
