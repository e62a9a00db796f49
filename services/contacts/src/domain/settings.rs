//! What an organization decides about its contacts (P11).

use std::time::Duration;

use kernel::{Malformed, Timestamp};
use serde::{Deserialize, Serialize};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Whole days that something is kept: one at least, ten years at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Days(i32);

impl Days {
    /// The longest.
    pub const MOST: i32 = 3_650;

    /// Reads a number of days.
    ///
    /// # Errors
    /// [`Malformed`] below 1 and above [`Days::MOST`].
    pub fn of(number: i32) -> Result<Self, Malformed> {
        match number {
            1..=Self::MOST => Ok(Self(number)),
            _ => Err(Malformed::new("must be 1 to 3650 days")),
        }
    }

    /// How many.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The moment so many days ago.
    pub fn before(self, now: Timestamp) -> Timestamp {
        now.minus(DAY * u32::try_from(self.0).unwrap_or_default())
    }
}

db::read_as!(Days: i64);

impl TryFrom<i64> for Days {
    type Error = Malformed;

    fn try_from(number: i64) -> Result<Self, Malformed> {
        Self::of(i32::try_from(number).unwrap_or_default())
    }
}

/// The policies of an organization. Without any decision of its own: [`Settings::default`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How long what happened around contacts is kept. Default: two years.
    pub activity_retention: Days,
}

impl Default for Settings {
    fn default() -> Self {
        Self { activity_retention: Days(730) }
    }
}

/// The settings as an organization has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SettingsChange {
    /// See [`Settings`].
    pub activity_retention: Option<Days>,
}

impl SettingsChange {
    /// The settings after the change.
    #[must_use]
    pub fn apply(self, to: Settings) -> Settings {
        Settings { activity_retention: self.activity_retention.unwrap_or(to.activity_retention) }
    }
}

#[cfg(test)]
mod tests {
    use super::Days;
    use kernel::Timestamp;

    // P11
    #[test]
    fn a_retention_is_a_day_at_least_and_ten_years_at_most() {
        for number in [1, 730, 3_650] {
            assert_eq!(Days::of(number).unwrap().number(), number);
        }
        for number in [0, -1, 3_651, i32::MIN, i32::MAX] {
            assert!(Days::of(number).is_err(), "{number}");
        }
        let now = Timestamp::from_micros(10 * 86_400_000_000);
        assert_eq!(Days::of(3).unwrap().before(now), Timestamp::from_micros(7 * 86_400_000_000));
    }
}
