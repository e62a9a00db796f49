//! Section `[notifications.webhooks]`.

use std::time::Duration;

use serde::Deserialize;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How webhooks are dealt with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Hours of only failures after which a webhook is disabled.
    pub disabled_after_hours: u32,
    /// Days for which events are kept for replays.
    pub events_kept_days: u32,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self { disabled_after_hours: 72, events_kept_days: 7 }
    }
}

impl WebhooksConfig {
    /// How long a webhook may do nothing but fail.
    pub fn patience(&self) -> Duration {
        HOUR.saturating_mul(self.disabled_after_hours)
    }

    /// How long events are kept.
    pub fn events_kept(&self) -> Duration {
        DAY.saturating_mul(self.events_kept_days)
    }
}
