//! What this service alone can be told: section `[notifications]`, or `BACKCHANNEL_NOTIFICATIONS__<KEY>`.

mod delivery;
pub mod email;
mod plan;
mod push;
mod webhooks;

use std::time::Duration;

use db::Engine;
use egress::EgressSettings;
use serde::Deserialize;

pub use self::delivery::DeliveryConfig;
pub use self::email::EmailConfig;
pub use self::plan::PlanConfig;
pub use self::push::PushConfig;
pub use self::webhooks::WebhooksConfig;
use crate::domain::settings::{Days, Retention};

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
    /// How fast deliveries go.
    pub delivery: DeliveryConfig,
    /// How requests leave to addresses that others chose.
    pub egress: EgressSettings,
    /// What pushes are sent with.
    pub push: PushConfig,
    /// How long entries wait before they are told outside of the feed.
    pub plan: PlanConfig,
    /// How webhooks are dealt with.
    pub webhooks: WebhooksConfig,
    /// Where emails are handed in. Absent: nobody gets any.
    pub email: Option<EmailConfig>,
}

impl Default for NotificationsConfig {
    fn default() -> Self {
        let (egress, push) = (EgressSettings::default(), PushConfig::default());
        Self {
            poll_ms: None,
            read_kept_days: 30,
            kept_days: 180,
            delivery: DeliveryConfig::default(),
            egress,
            push,
            plan: PlanConfig::default(),
            webhooks: WebhooksConfig::default(),
            email: None,
        }
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

    /// How long notifications are kept where the organization did not decide otherwise.
    pub fn retention(&self) -> Retention {
        let days = |days: u32| Days::of(i64::from(days));
        Retention { read: days(self.read_kept_days), all: days(self.kept_days) }
    }
}
