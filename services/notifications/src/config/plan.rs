//! How long entries wait before they leave the feed.

use std::time::Duration;

use serde::Deserialize;

use crate::domain::plan::Undo;

/// How long an entry waits before an email or a push tells it, for who reads it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanConfig {
    /// Milliseconds before an email.
    pub email_delay_ms: u64,
    /// Milliseconds before a push.
    pub push_delay_ms: u64,
}

impl Default for PlanConfig {
    fn default() -> Self {
        Self { email_delay_ms: 15_000, push_delay_ms: 3_000 }
    }
}

impl PlanConfig {
    /// The same, as plans take it.
    pub const fn undo(&self) -> Undo {
        Undo {
            email: Duration::from_millis(self.email_delay_ms),
            push: Duration::from_millis(self.push_delay_ms),
        }
    }
}
