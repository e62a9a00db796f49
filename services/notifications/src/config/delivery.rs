//! `[notifications.delivery]`: how fast deliveries go.

use std::time::Duration;

use serde::Deserialize;

use crate::app::dispatch::Pace;

/// The most that either may be set to.
const MOST: usize = 1_000;

/// How many deliveries are under way at once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// Of each channel, in this process.
    pub at_once: usize,
    /// To one device or endpoint, and of one organization's emails; in all processes together.
    pub per_destination: usize,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self { at_once: 32, per_destination: 4 }
    }
}

impl DeliveryConfig {
    /// The pace of each channel.
    pub fn pace(&self, poll: Duration) -> Pace {
        Pace::usual(self.at_once.clamp(1, MOST), self.per_destination.clamp(1, MOST), poll)
    }
}
