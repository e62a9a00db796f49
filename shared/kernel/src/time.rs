//! Moments.

use std::time::Duration;

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z; that is also how both databases store it.
///
/// Comes from [`Clock::now`](crate::Clock::now), from a transaction's database time or from a request, never from the
/// system directly. Arithmetic saturates: a moment beyond the end of the range is the end of the range.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    sqlx_macros::Type,
)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment that many microseconds after (or, negative, before) 1970 began in UTC.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970 began in UTC.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The moment `span` later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros(span)))
    }

    /// The moment `span` earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(micros(span)))
    }

    /// How long after `earlier` this moment is; zero if it is not after it.
    pub fn since(self, earlier: Timestamp) -> Duration {
        let span = i128::from(self.0) - i128::from(earlier.0);
        Duration::from_micros(u64::try_from(span).unwrap_or(0))
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Timestamp;
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn a_span_never_is_negative() {
        let (early, late) = (Timestamp::from_micros(1), Timestamp::from_micros(3));
        assert_eq!(late.since(early), Duration::from_micros(2));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn adding_then_measuring_gives_the_span(start in 0..i64::MAX / 4, span in 0..u64::MAX / 8) {
            let start = Timestamp::from_micros(start);
            let span = Duration::from_micros(span);
            prop_assert_eq!(start.plus(span).since(start), span);
            prop_assert_eq!(start.plus(span).minus(span), start);
        }

        #[test]
        fn nothing_overflows(start in any::<i64>(), other in any::<i64>(), secs in any::<u64>()) {
            let (start, other) = (Timestamp::from_micros(start), Timestamp::from_micros(other));
            let span = Duration::from_secs(secs);
            prop_assert!(start.plus(span) >= start && start.minus(span) <= start);
            let _ = start.since(other);
        }
    }
}
