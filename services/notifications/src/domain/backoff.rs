//! When a delivery that failed is tried again, and for how long its destination is left alone.

use std::time::Duration;

use kernel::Timestamp;

use super::delivery::Outcome;

/// The waits before the second attempt, the third and so on (D7). After the last one a delivery is given up.
pub const SCHEDULE: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3_600),
    Duration::from_secs(5 * 3_600),
    Duration::from_secs(10 * 3_600),
    Duration::from_secs(10 * 3_600),
];

/// The longest that another side may put us off with its `Retry-After`.
const PUT_OFF: Duration = Duration::from_secs(24 * 3_600);

/// The shortest time that something is put off.
const MOMENT: Duration = Duration::from_secs(1);

/// The first rest of a destination that does not answer, and the longest: it bounds how late others are once it is back.
const REST_FIRST: Duration = Duration::from_secs(5);
const REST_CAP: Duration = Duration::from_secs(5 * 60);

/// A wait becomes longer by up to a fifth by `jitter` (0 to 255), so that what failed together does not come back together.
fn jittered(wait: Duration, jitter: u8) -> Duration {
    wait + wait.mul_f64(f64::from(jitter) / 255.0 / 5.0)
}

/// No later than a day from now.
fn put_off(not_before: Option<Timestamp>, now: Timestamp) -> Timestamp {
    not_before.unwrap_or(now).min(now.plus(PUT_OFF))
}

/// When a delivery that is put off until a time is looked at again: not at once, and within a day.
pub fn postponed(until: Timestamp, now: Timestamp) -> Timestamp {
    put_off(Some(until), now).max(now.plus(MOMENT))
}

/// When a delivery is due again of which `tries` attempts failed, the first being 1; none: it is given up.
pub fn due_again(tries: i64, not_before: Option<Timestamp>, now: Timestamp, jitter: u8) -> Option<Timestamp> {
    let place = usize::try_from(tries.max(1) - 1).unwrap_or(usize::MAX);
    let wait = *SCHEDULE.get(place)?;
    Some(now.plus(jittered(wait, jitter)).max(put_off(not_before, now)))
}

/// Whether a delivery was begun more often than ever tells of an end: whoever carries it does not live to say so.
pub fn is_hopeless(tries: i64) -> bool {
    usize::try_from(tries).is_ok_and(|tries| tries > SCHEDULE.len() + 1)
}

/// How a destination has behaved lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, db::FromRow)]
pub struct Standing {
    /// Attempts in a row to which it did not answer.
    pub failures: i64,
    /// When the attempts began of which none was taken; none: the last one was.
    pub failing_since: Option<Timestamp>,
    /// Until when it is left alone.
    pub rest_until: Timestamp,
}

impl Standing {
    /// Of one that nothing is known of.
    pub const NEW: Self = Self { failures: 0, failing_since: None, rest_until: Timestamp::from_micros(0) };

    /// After one more attempt. Any answer ends the rest; only a delivery that was taken ends the failing.
    #[must_use]
    pub fn after(self, outcome: &Outcome, now: Timestamp, jitter: u8) -> Self {
        let since = Some(self.failing_since.unwrap_or(now));
        match outcome {
            Outcome::Sent => Self::NEW,
            Outcome::Skipped(_) | Outcome::Gone(_) | Outcome::Postponed { .. } => self,
            Outcome::Again { .. } | Outcome::Refused(_) => Self { failing_since: since, ..Self::NEW },
            Outcome::Unreachable { not_before, .. } => {
                let failures = self.failures.saturating_add(1);
                let rest = jittered(rest(failures), jitter);
                let rest_until = now.plus(rest).max(put_off(*not_before, now)).max(self.rest_until);
                Self { failures, failing_since: since, rest_until }
            }
        }
    }

    /// Whether it did not answer the last time: then it is asked with one delivery alone.
    pub const fn is_silent(self) -> bool {
        self.failures > 0
    }
}

fn rest(failures: i64) -> Duration {
    let doublings = u32::try_from(failures.clamp(1, 16) - 1).unwrap_or(0);
    REST_FIRST.saturating_mul(1 << doublings).min(REST_CAP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::Why;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

    fn away(not_before: Option<Timestamp>) -> Outcome {
        Outcome::Unreachable { why: Why::from("no answer"), not_before }
    }

    // D7
    #[test]
    fn eight_attempts_are_made_at_the_promised_distances() {
        let waits: Vec<u64> = (1..=8)
            .filter_map(|tries| due_again(tries, None, NOW, 0))
            .map(|due| due.since(NOW).as_secs())
            .collect();
        assert_eq!(waits, [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]);
        assert!(!is_hopeless(8) && is_hopeless(9));
    }

    proptest! {
        // D7
        #[test]
        fn jitter_delays_by_at_most_a_fifth_and_never_hurries(tries in 1_i64..=7, jitter: u8) {
            let (early, due) = (due_again(tries, None, NOW, 0).unwrap(), due_again(tries, None, NOW, jitter).unwrap());
            let wait = early.since(NOW);
            prop_assert!(due >= early && due.since(NOW) <= wait + wait / 5);
        }

        // D7
        #[test]
        fn nobody_puts_a_delivery_off_for_longer_than_a_day_beyond_the_schedule_nor_hurries_it(
            tries in -3_i64..12, jitter: u8, seconds in -100_i64..10_000_000,
        ) {
            let asked = Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000);
            let plain = due_again(tries, None, NOW, jitter);
            let put_off = due_again(tries, Some(asked), NOW, jitter);
            prop_assert_eq!(plain.is_some(), put_off.is_some());
            if let (Some(plain), Some(put_off)) = (plain, put_off) {
                prop_assert!(put_off >= plain && put_off >= asked.min(NOW.plus(PUT_OFF)));
                prop_assert!(put_off <= plain.max(NOW.plus(PUT_OFF)));
            }
        }

        // D7
        #[test]
        fn a_destination_rests_for_longer_with_each_silence_and_never_much_beyond_five_minutes(
            failures in 0_i64..1_000_000, jitter: u8,
        ) {
            let before = Standing { failures, ..Standing::NEW };
            let after = before.after(&away(None), NOW, jitter);
            let later = after.after(&away(None), NOW, jitter);
            prop_assert!(after.rest_until > NOW && after.rest_until <= NOW.plus(REST_CAP + REST_CAP / 5));
            prop_assert!(later.rest_until >= after.rest_until && later.is_silent());
        }

        // D7
        #[test]
        fn whatever_happens_only_what_was_taken_ends_the_failing(steps in proptest::collection::vec(0..7, 0..30)) {
            let (mut standing, mut failing) = (Standing::NEW, false);
            for step in steps {
                let why = Why::from("because");
                let outcome = match step {
                    0 => Outcome::Sent,
                    1 => Outcome::Skipped(why),
                    2 => Outcome::Again { why, not_before: None },
                    3 => away(None),
                    4 => Outcome::Refused(why),
                    5 => Outcome::Postponed { why, until: NOW },
                    _ => Outcome::Gone(why),
                };
                failing = step != 0 && (failing || (2..=4).contains(&step));
                standing = standing.after(&outcome, NOW, 7);
                prop_assert_eq!(standing.failing_since.is_some(), failing);
            }
        }
    }

    #[test]
    fn what_is_put_off_is_looked_at_within_a_day_and_not_at_once() {
        assert_eq!(postponed(NOW.minus(PUT_OFF), NOW), NOW.plus(MOMENT));
        assert_eq!(postponed(NOW.plus(PUT_OFF / 2), NOW), NOW.plus(PUT_OFF / 2));
        assert_eq!(postponed(NOW.plus(PUT_OFF * 9), NOW), NOW.plus(PUT_OFF));
    }

    #[test]
    fn an_answer_ends_the_rest_and_a_retry_after_prolongs_it() {
        let silent = Standing::NEW.after(&away(Some(NOW.plus(Duration::from_secs(600)))), NOW, 0);
        assert_eq!(silent.rest_until, NOW.plus(Duration::from_secs(600)));
        let full = Outcome::Again { why: Why::from("mailbox full"), not_before: None };
        assert_eq!(silent.after(&full, NOW, 0).rest_until, Standing::NEW.rest_until);
        assert_eq!(silent.after(&Outcome::Sent, NOW, 0), Standing::NEW);
    }
}
