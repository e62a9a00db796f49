//! What this service alone can be told: section `[notifications]`, or `BACKCHANNEL_NOTIFICATIONS__<KEY>`.

use std::time::Duration;

use db::Engine;
use serde::Deserialize;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The service's own settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotificationsConfig {
    /// Milliseconds between two looks for feeds that grew without a wake-up reaching this process. Absent: 250 on
    /// PostgreSQL, where other processes write as well; 2,000 on SQLite, where none does.
    pub poll_ms: Option<u64>,
    /// Days for which a read notification is kept after it was read.
    pub read_kept_days: u32,
    /// Days for which every notification is kept at most.
    pub kept_days: u32,
}

impl Default for NotificationsConfig {
    fn default() -> Self {
        Self { poll_ms: None, read_kept_days: 30, kept_days: 180 }
    }
}

impl NotificationsConfig {
    /// The time between two looks.
    pub fn poll(&self, engine: Engine) -> Duration {
        let usual = match engine {
            Engine::Postgres => 250,
            Engine::Sqlite => 2_000,
        };
        Duration::from_millis(self.poll_ms.unwrap_or(usual).max(1))
    }

    /// How long a read notification is kept.
    pub fn read_kept(&self) -> Duration {
        DAY.saturating_mul(self.read_kept_days)
    }

    /// How long every notification is kept at most.
    pub fn kept(&self) -> Duration {
        DAY.saturating_mul(self.kept_days)
    }
}
