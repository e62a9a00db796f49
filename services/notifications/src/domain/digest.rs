//! Emails gathered: one for each window, with what is still unread at its end.

use std::time::Duration;

use kernel::{Malformed, Timestamp};
use serde::{Deserialize, Serialize};
use zones::WallClock;

use super::quiet::{DAY, MINUTE, full_minute, scan};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// How far ahead the next daily one may lie, in minutes: a day, and longer than clocks were ever put back or forth.
const FARTHEST: i32 = 2 * DAY;

/// Whether, and when, a person's emails are gathered into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Digest {
    /// They are not.
    Off,
    /// One an hour at most, an hour after the first entry that it tells.
    Hourly,
    /// One a day at most.
    Daily {
        /// When, in minutes after midnight on the person's clock.
        minute: i32,
    },
}

impl Digest {
    /// One a day, so many minutes after midnight.
    ///
    /// # Errors
    /// [`Malformed`] for a minute that no day has.
    pub fn daily(minute: i32) -> Result<Self, Malformed> {
        match minute {
            0..DAY => Ok(Self::Daily { minute }),
            _ => Err(Malformed::new("must be 0 to 1439").at("digest.minute")),
        }
    }

    /// When the window ends into which something falls that comes now; none if nothing is gathered.
    #[must_use]
    pub fn next(self, now: Timestamp, clock: &WallClock) -> Option<Timestamp> {
        match self {
            Self::Off => None,
            Self::Hourly => Some(now.plus(HOUR)),
            Self::Daily { minute } => Some(next_daily(minute, now, clock)),
        }
    }
}

/// The next moment at which the clock comes to a minute of the day. Once a day: on a day that has the minute twice, the first time; on
/// one whose clock jumps over it, when it jumps.
fn next_daily(minute: i32, now: Timestamp, clock: &WallClock) -> Timestamp {
    let shown = clock.shows(now);
    let still_today = shown.minute < minute;
    let left = minute - shown.minute + if still_today { 0 } else { DAY };
    let guess = full_minute(now).plus(MINUTE * left.unsigned_abs());
    // A clock that goes on evenly comes to it after so many minutes. If it was put back or forth meanwhile, it is looked for.
    let there = clock.shows(guess);
    if there.minute == minute && (there.day == shown.day) == still_today {
        return guess;
    }
    looked_for(minute, now, clock)
}

/// The same, minute by minute.
fn looked_for(minute: i32, now: Timestamp, clock: &WallClock) -> Timestamp {
    let shown = clock.shows(now);
    let still_today = shown.minute < minute;
    scan(now, FARTHEST, |time| {
        let at = clock.shows(time);
        if still_today {
            at.day == shown.day && at.minute >= minute || at.day > shown.day
        } else {
            at.day > shown.day && at.minute >= minute
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;
    use zones::Zone;

    /// A moment that RFC 3339 writes, in UTC.
    fn at(text: &str) -> Timestamp {
        let time: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_micros(time.as_microsecond())
    }

    fn daily(minute: i32, now: &str, zone: &str) -> Timestamp {
        let clock = Zone::parse(zone).unwrap().clock();
        Digest::daily(minute).unwrap().next(at(now), &clock).unwrap()
    }

    // D6
    #[test]
    fn a_daily_digest_comes_at_its_minute_of_the_persons_clock() {
        let nine = 9 * 60;
        assert_eq!(daily(nine, "2026-01-10T07:59:59Z", "Europe/Berlin"), at("2026-01-10T08:00:00Z"));
        assert_eq!(daily(nine, "2026-01-10T08:00:00Z", "Europe/Berlin"), at("2026-01-11T08:00:00Z"));
        assert_eq!(daily(0, "2026-01-10T08:00:00Z", "UTC"), at("2026-01-11T00:00:00Z"));
    }

    // D6
    #[test]
    fn clocks_that_are_put_back_or_forth_make_one_digest_a_day() {
        let half_past_two = 150;
        // Forth: 02:30 is not shown on 29 March; the clock jumps over it at 01:00Z.
        let spring = |now| daily(half_past_two, now, "Europe/Berlin");
        assert_eq!(spring("2026-03-28T12:00:00Z"), at("2026-03-29T01:00:00Z"));
        assert_eq!(spring("2026-03-29T01:00:00Z"), at("2026-03-30T00:30:00Z"));
        // Back: 02:30 is shown twice on 25 October.
        assert_eq!(spring("2026-10-24T12:00:00Z"), at("2026-10-25T00:30:00Z"));
        assert_eq!(spring("2026-10-25T00:30:00Z"), at("2026-10-26T01:30:00Z"));
    }

    proptest! {
        // D6
        #[test]
        fn a_daily_digest_is_due_when_a_search_of_every_minute_finds_it(
            minute in 0..DAY,
            hours in 0_i64..2 * 365 * 24,
            seconds in 0_i64..3_600,
            zone in select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
        ) {
            let now = at("2026-01-01T00:00:00Z").as_micros() + (hours * 3_600 + seconds) * 1_000_000;
            let (now, clock) = (Timestamp::from_micros(now), Zone::parse(zone).unwrap().clock());
            prop_assert_eq!(next_daily(minute, now, &clock), looked_for(minute, now, &clock));
        }
    }

    // D6
    #[test]
    fn an_hourly_digest_comes_an_hour_after_the_first_entry_and_no_digest_never() {
        let (now, clock) = (at("2026-01-10T08:00:00Z"), WallClock::default());
        assert_eq!(Digest::Hourly.next(now, &clock), Some(at("2026-01-10T09:00:00Z")));
        assert_eq!(Digest::Off.next(now, &clock), None);
        assert!(Digest::daily(1440).is_err() && Digest::daily(-1).is_err());
    }
}
