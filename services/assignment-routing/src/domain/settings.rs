//! What an organization decides about how its work is shared out.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::handoff::HandoffRules;
use super::reopen::ReopenPolicy;
use zones::Zone;

/// The policies of an organization. Without any decision of its own: [`Settings::default`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Units of work an agent gets at once whose profile does not say it; 0: as many as there are.
    pub default_capacity_units: i32,
    /// What a conversation of a channel costs; of any other: 1.
    pub channel_units: BTreeMap<String, i32>,
    /// Whose clocks and calendars the conditions of workflows read.
    #[serde(default)]
    pub time_zone: Zone,
    /// Which ways of giving a conversation away demand a handoff.
    #[serde(default)]
    pub handoffs: HandoffRules,
    /// Who has a conversation that is open again.
    #[serde(default)]
    pub reopen_policy: ReopenPolicy,
    /// How long agents who are offline keep conversations whose customers wait.
    #[serde(default)]
    pub offline_grace: Grace,
}

/// How long who is offline keeps conversations whose customers wait; zero: however long they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grace(pub Duration);

impl Grace {
    /// The longest there is.
    pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

    /// How long it is, unless they keep everything.
    #[must_use]
    pub fn length(self) -> Option<Duration> {
        Some(self.0).filter(|length| !length.is_zero())
    }
}

impl Default for Grace {
    fn default() -> Self {
        Self(Duration::from_secs(60))
    }
}

/// The settings as an organization has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// What it decided.
    pub settings: Settings,
    /// Changes with every change: 1 while nobody changed anything.
    pub version: i64,
    /// When they last changed.
    pub update_time: Option<Timestamp>,
}

impl Default for Decided {
    /// Before the first change.
    fn default() -> Self {
        Self { settings: Settings::default(), version: 1, update_time: None }
    }
}

/// New values; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct SettingsChange {
    /// See [`Settings`].
    pub default_capacity_units: Option<i32>,
    /// See [`Settings`]; all of them.
    pub channel_units: Option<BTreeMap<String, i32>>,
    /// See [`Settings`].
    pub time_zone: Option<Zone>,
    /// See [`HandoffRules`].
    pub reassign_requires_handoff: Option<bool>,
    /// See [`HandoffRules`].
    pub escalate_requires_handoff: Option<bool>,
    /// See [`Settings`].
    pub reopen_policy: Option<ReopenPolicy>,
    /// See [`Settings`].
    pub offline_grace: Option<Grace>,
}

impl SettingsChange {
    /// The settings after the change.
    #[must_use]
    pub fn apply(self, to: Settings) -> Settings {
        Settings {
            default_capacity_units: self.default_capacity_units.unwrap_or(to.default_capacity_units),
            channel_units: self.channel_units.unwrap_or(to.channel_units),
            time_zone: self.time_zone.unwrap_or(to.time_zone),
            handoffs: HandoffRules {
                reassign: self.reassign_requires_handoff.unwrap_or(to.handoffs.reassign),
                escalate: self.escalate_requires_handoff.unwrap_or(to.handoffs.escalate),
            },
            reopen_policy: self.reopen_policy.unwrap_or(to.reopen_policy),
            offline_grace: self.offline_grace.unwrap_or(to.offline_grace),
        }
    }
}
