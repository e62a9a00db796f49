//! One attempt to carry a delivery, and what its outcome means for the delivery.

use kernel::{Malformed, Timestamp};

use super::backoff;
use super::delivery::{DeliveryState, Outcome, Why};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Not yet; or nobody heard.
    Started,
    /// The other side took it.
    Sent,
    /// There was nothing to carry any more.
    Skipped,
    /// Not taken this time.
    Failed,
    /// The destination did not answer.
    Unreachable,
    /// Refused for good.
    Refused,
    /// The destination is no more.
    Gone,
    /// Its time had not come after all.
    Postponed,
}

impl Ending {
    /// Every ending, in the order of the contract.
    pub const ALL: [Self; 8] = [
        Self::Started,
        Self::Sent,
        Self::Skipped,
        Self::Failed,
        Self::Unreachable,
        Self::Refused,
        Self::Gone,
        Self::Postponed,
    ];

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Sent => "sent",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Gone => "gone",
            Self::Postponed => "postponed",
        }
    }
}

db::read_as!(Ending: String);

impl TryFrom<String> for Ending {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        let found = Self::ALL.into_iter().find(|ending| ending.as_str() == text);
        found.ok_or_else(|| Malformed::new("is not an ending of an attempt"))
    }
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct Attempt {
    /// Which; the first is 1.
    pub attempt: i64,
    /// How it ended.
    #[sqlx(rename = "outcome")]
    pub ending: Ending,
    /// What the other side answered.
    pub code: Option<i64>,
    /// Why it ended so.
    pub error: Option<String>,
    /// When it began.
    pub start_time: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
}

/// What an outcome means for a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is tried again then.
    Again(Timestamp),
    /// It is tried again then, as if it had not been tried now.
    Postponed(Timestamp),
    /// It is done.
    Done(DeliveryState),
}

impl Outcome {
    /// How the attempt ended.
    pub const fn ending(&self) -> Ending {
        match self {
            Self::Sent => Ending::Sent,
            Self::Skipped(_) => Ending::Skipped,
            Self::Again { .. } => Ending::Failed,
            Self::Unreachable { .. } => Ending::Unreachable,
            Self::Refused(_) => Ending::Refused,
            Self::Gone(_) => Ending::Gone,
            Self::Postponed { .. } => Ending::Postponed,
        }
    }

    /// Why it ended so.
    pub const fn why(&self) -> Option<&Why> {
        match self {
            Self::Sent => None,
            Self::Skipped(why) | Self::Refused(why) | Self::Gone(why) => Some(why),
            Self::Again { why, .. } | Self::Unreachable { why, .. } | Self::Postponed { why, .. } => {
                Some(why)
            }
        }
    }

    /// What it means for the delivery after so many attempts.
    pub fn verdict(&self, tries: i64, now: Timestamp, jitter: u8) -> Verdict {
        match self {
            Self::Sent => Verdict::Done(DeliveryState::Sent),
            Self::Skipped(_) | Self::Gone(_) => Verdict::Done(DeliveryState::Skipped),
            Self::Refused(_) => Verdict::Done(DeliveryState::Failed),
            Self::Postponed { until, .. } => Verdict::Postponed(backoff::postponed(*until, now)),
            Self::Again { not_before, .. } | Self::Unreachable { not_before, .. } => {
                backoff::due_again(tries, *not_before, now, jitter)
                    .map_or(Verdict::Done(DeliveryState::Failed), Verdict::Again)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_reads_back() {
        for ending in Ending::ALL {
            assert_eq!(Ending::try_from(ending.as_str().to_owned()), Ok(ending));
        }
        assert!(Ending::try_from("lost".to_owned()).is_err());
    }

    // D7
    #[test]
    fn the_eighth_failure_makes_a_dead_letter_and_a_refusal_the_first() {
        let now = Timestamp::from_micros(0);
        let failed = Outcome::Again { why: Why::from("mailbox full"), not_before: None };
        assert!(matches!(failed.verdict(7, now, 0), Verdict::Again(_)));
        assert_eq!(failed.verdict(8, now, 0), Verdict::Done(DeliveryState::Failed));
        let refused = Outcome::Refused(Why::from("no such mailbox"));
        assert_eq!(refused.verdict(1, now, 0), Verdict::Done(DeliveryState::Failed));
    }
}
