//! The service's own settings: section `[routing]`, environment `BACKCHANNEL_ROUTING__*`.

use std::time::Duration;

use db::Engine;
use serde::Deserialize;

/// Settings, each with the default that production uses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoutingConfig {
    /// Conversations assigned under one lock and in one commit, at most. Default 200.
    pub assign_batch: u32,
    /// Queues served at once by this process. Default 4.
    pub assign_at_once: u32,
    /// Milliseconds between looks for queues whose wake-up was lost, leases that are over, and snoozes and timers whose time
    /// has come. Default 1,000.
    pub sweep_ms: u64,
    /// Milliseconds between two looks for what changed in inboxes without a wake-up reaching this process. Absent: 250 on PostgreSQL,
    /// where other processes write as well; 1,000 on SQLite, where none does.
    pub inbox_poll_ms: Option<u64>,
}

impl Default for RoutingConfig {
    fn default() -> Self {
        Self { assign_batch: 200, assign_at_once: 4, sweep_ms: 1_000, inbox_poll_ms: None }
    }
}

impl RoutingConfig {
    /// See [`RoutingConfig::sweep_ms`].
    #[must_use]
    pub fn sweep(&self) -> Duration {
        Duration::from_millis(self.sweep_ms.max(10))
    }

    /// See [`RoutingConfig::inbox_poll_ms`].
    #[must_use]
    pub fn inbox_poll(&self, engine: Engine) -> Duration {
        let usual = match engine {
            Engine::Postgres => 250,
            Engine::Sqlite => 1_000,
        };
        Duration::from_millis(self.inbox_poll_ms.unwrap_or(usual).max(10))
    }
}
