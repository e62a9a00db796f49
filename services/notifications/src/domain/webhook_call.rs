//! What an answer to a webhook's call means.

use std::time::Duration;

use kernel::Timestamp;

use super::delivery::{Outcome, Why};

/// The status that says that nobody will ever answer there again.
const GONE: u16 = 410;
const TOO_MANY_REQUESTS: u16 = 429;

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// This HTTP status, and how long to leave the other side alone, if it said so.
    Status(u16, Option<Duration>),
    /// No answer, for this reason.
    Nothing(&'static str),
}

impl Answered {
    /// Whether the other side took the event.
    pub const fn accepted(self) -> bool {
        matches!(self, Self::Status(200..=299, _))
    }

    /// Whether the other side says that it is gone for good.
    pub const fn gone(self) -> bool {
        matches!(self, Self::Status(GONE, _))
    }

    /// The HTTP status; 0 without an answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::Status(status, _) => status,
            Self::Nothing(_) => 0,
        }
    }

    /// Why it was not accepted, in a few words; nothing of what the other side wrote.
    pub fn failure(self) -> String {
        match self {
            Self::Status(200..=299, _) => String::new(),
            Self::Status(status @ 300..=399, _) => {
                format!("answered {status}: redirects are not followed, change the URL")
            }
            Self::Status(status, _) => format!("answered {status}"),
            Self::Nothing(reason) => reason.to_owned(),
        }
    }

    /// What becomes of the delivery. An endpoint that does not answer, fails or asks for patience is left alone with everything; one
    /// that does not take this event gets the others.
    pub fn outcome(self, now: Timestamp) -> Outcome {
        let why = Why::new(self.failure());
        match self {
            Self::Status(200..=299, _) => Outcome::Sent,
            Self::Status(GONE, _) => Outcome::Refused(why.with_code(GONE)),
            Self::Status(status @ (TOO_MANY_REQUESTS | 500..), wait) => Outcome::Unreachable {
                why: why.with_code(status),
                not_before: wait.map(|wait| now.plus(wait)),
            },
            Self::Status(status, wait) => {
                Outcome::Again { why: why.with_code(status), not_before: wait.map(|wait| now.plus(wait)) }
            }
            Self::Nothing(_) => Outcome::Unreachable { why, not_before: None },
        }
    }
}

/// What a failure means for a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// It is the first since something went well: note since when.
    First,
    /// There were others before.
    Still,
    /// There were others for too long: it is to be disabled.
    TooLong,
}

/// Weighs a failure: a webhook that has failed since then, and is to be disabled after so long.
pub fn weigh(failing_since: Option<Timestamp>, now: Timestamp, patience: Duration) -> Failing {
    match failing_since {
        None => Failing::First,
        Some(since) if now.since(since) >= patience => Failing::TooLong,
        Some(_) => Failing::Still,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: i64) -> Timestamp {
        Timestamp::from_micros(number * 1_000_000)
    }

    // D8
    #[test]
    fn only_a_status_from_200_to_299_is_a_success() {
        let now = second(100);
        for status in 100..=599_u16 {
            let answered = Answered::Status(status, None);
            assert_eq!(answered.accepted(), (200..300).contains(&status), "{status}");
            assert_eq!(answered.failure().is_empty(), answered.accepted(), "{status}");
            let kind = match answered.outcome(now) {
                Outcome::Sent => 's',
                Outcome::Refused(_) => 'r',
                Outcome::Unreachable { .. } => 'u',
                Outcome::Again { .. } => 'a',
                other => panic!("{status}: {other:?}"),
            };
            let expected = match status {
                200..=299 => 's',
                410 => 'r',
                429 | 500..=599 => 'u',
                _ => 'a',
            };
            assert_eq!(kind, expected, "{status}");
        }
        assert!(!Answered::Nothing("no connection").accepted());
    }

    // D8
    #[test]
    fn who_asks_for_patience_gets_it() {
        let answered = Answered::Status(503, Some(Duration::from_secs(30)));
        let Outcome::Unreachable { not_before, why } = answered.outcome(second(100)) else { panic!() };
        assert_eq!((not_before, why.code()), (Some(second(130)), Some(503)));
    }

    // D8
    #[test]
    fn three_days_of_only_failures_are_too_long_and_a_success_in_between_begins_them_anew() {
        let patience = Duration::from_secs(3 * 24 * 60 * 60);
        let begin = second(0);
        assert_eq!(weigh(None, begin, patience), Failing::First);
        assert_eq!(
            weigh(Some(begin), begin.plus(patience).minus(Duration::from_micros(1)), patience),
            Failing::Still
        );
        assert_eq!(weigh(Some(begin), begin.plus(patience), patience), Failing::TooLong);
    }
}
