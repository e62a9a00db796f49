//! What an organization decides: how long notifications are kept (D9), where it does not want what the service is configured with, and
//! what emails hold (D4).

use std::time::Duration;

use kernel::{Malformed, Timestamp};
use serde::{Deserialize, Serialize};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time, in days.
const LONGEST: i64 = 3_650;

/// A number of days: 1 to 3,650.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, db::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Days(i64);

impl Days {
    /// So many days; the nearest that can be, for less or more. Contract and configuration have refused others.
    #[must_use]
    pub fn of(days: i64) -> Self {
        Self(days.clamp(1, LONGEST))
    }

    /// How many.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }

    /// So many days before a moment.
    #[must_use]
    pub fn before(self, now: Timestamp) -> Timestamp {
        now.minus(DAY * u32::try_from(self.0).unwrap_or(u32::MAX))
    }
}

/// How long notifications are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// After they were read.
    pub read: Days,
    /// All of them, at most.
    pub all: Days,
}

impl Default for Retention {
    fn default() -> Self {
        Self { read: Days(30), all: Days(180) }
    }
}

/// What emails hold of the notes that they are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum EmailContent {
    /// Nothing.
    #[default]
    None,
    /// The beginning of what was written.
    Excerpt,
}

impl EmailContent {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Excerpt => "excerpt",
        }
    }
}

db::read_as!(EmailContent: String);

impl TryFrom<String> for EmailContent {
    type Error = Malformed;

    fn try_from(word: String) -> Result<Self, Malformed> {
        match word.as_str() {
            "none" => Ok(Self::None),
            "excerpt" => Ok(Self::Excerpt),
            _ => Err(Malformed::new("must be none or excerpt").at("email_content")),
        }
    }
}

/// What an organization decides. `None`: as the service is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Settings {
    /// How long a notification is kept after it was read.
    pub read_kept: Option<Days>,
    /// How long every notification is kept at most.
    pub kept: Option<Days>,
    /// What emails hold.
    #[serde(default)]
    pub email_content: EmailContent,
}

impl Settings {
    /// How long its notifications are kept.
    #[must_use]
    pub fn retention(self, configured: Retention) -> Retention {
        Retention {
            read: self.read_kept.unwrap_or(configured.read),
            all: self.kept.unwrap_or(configured.all),
        }
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

/// New values; what is `None` stays, what is `Some(None)` goes back to the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SettingsChange {
    /// See [`Settings`].
    pub read_kept: Option<Option<Days>>,
    /// See [`Settings`].
    pub kept: Option<Option<Days>>,
    /// See [`Settings`].
    pub email_content: Option<EmailContent>,
}

impl SettingsChange {
    /// The settings after the change.
    #[must_use]
    pub fn apply(self, to: Settings) -> Settings {
        Settings {
            read_kept: self.read_kept.unwrap_or(to.read_kept),
            kept: self.kept.unwrap_or(to.kept),
            email_content: self.email_content.unwrap_or(to.email_content),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // D9
    #[test]
    fn an_organization_keeps_what_it_decided_and_otherwise_what_is_configured() {
        let decided = Settings { read_kept: Some(Days::of(1)), ..Settings::default() };
        let kept = decided.retention(Retention::default());
        assert_eq!((kept.read.number(), kept.all.number()), (1, 180));
        let back = SettingsChange {
            read_kept: Some(None),
            kept: Some(Some(Days::of(9))),
            ..SettingsChange::default()
        };
        let kept = back.apply(decided).retention(Retention::default());
        assert_eq!((kept.read.number(), kept.all.number()), (30, 9));
        assert_eq!(SettingsChange::default().apply(decided), decided);
    }

    // D4
    #[test]
    fn emails_hold_nothing_until_the_organization_wants_it() {
        assert_eq!(Settings::default().email_content, EmailContent::None);
        for content in [EmailContent::None, EmailContent::Excerpt] {
            assert_eq!(EmailContent::try_from(content.as_str().to_owned()), Ok(content));
        }
        assert_eq!(EmailContent::try_from("all".to_owned()).unwrap_err().field(), Some("email_content"));
    }

    // D9
    #[test]
    fn days_are_at_least_one_so_that_nothing_goes_at_once() {
        assert_eq!([Days::of(-1), Days::of(0), Days::of(9_999)].map(Days::number), [1, 1, 3_650]);
        let now = Timestamp::from_micros(2 * 86_400 * 1_000_000);
        assert_eq!(Days::of(2).before(now), Timestamp::from_micros(0));
    }
}
