//! Quiet hours: when a person's phone and mail stay still, by the clock on their wall.

use std::time::Duration;

use kernel::{Malformed, Timestamp};
use serde::{Deserialize, Serialize};
use zones::{LocalTime, WallClock};

/// Minutes that the clocks of a day show.
pub(super) const DAY: i32 = 24 * 60;

const WEEK: i32 = 7 * DAY;

pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// The most windows: one or two for each day of the week.
const WINDOWS: usize = 14;

/// A stretch of quiet on some days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Days on which it begins, 1 is Monday, 7 is Sunday; empty: every day.
    pub weekdays: Vec<i32>,
    /// Minutes after midnight at which it begins.
    pub start_minute: i32,
    /// Minutes after midnight at which it ends, 1440 at most; not after the start: on the next day.
    pub end_minute: i32,
}

impl Window {
    fn begins_on(&self, weekday: i32) -> bool {
        self.weekdays.is_empty() || self.weekdays.contains(&weekday)
    }

    /// Whether a clock that shows this minute on this weekday is in the window.
    fn covers(&self, weekday: i32, minute: i32) -> bool {
        let yesterday = if weekday == 1 { 7 } else { weekday - 1 };
        if self.start_minute < self.end_minute {
            self.begins_on(weekday) && (self.start_minute..self.end_minute).contains(&minute)
        } else {
            self.begins_on(weekday) && minute >= self.start_minute
                || self.begins_on(yesterday) && minute < self.end_minute
        }
    }

    fn check(&self) -> Result<(), Malformed> {
        let in_day = (0..DAY).contains(&self.start_minute) && (0..=DAY).contains(&self.end_minute);
        if !in_day {
            return Err(Malformed::new(
                "must begin at 0 to 1439 and end at 0 to 1440 minutes after midnight",
            ));
        }
        if self.start_minute == self.end_minute {
            return Err(Malformed::new("must not end when it begins: 0 to 1440 is the whole day"));
        }
        if self.weekdays.iter().any(|day| !(1..=7).contains(day)) {
            return Err(Malformed::new("has a weekday that is not 1 (Monday) to 7 (Sunday)"));
        }
        Ok(())
    }
}

/// When a person wants quiet; never, if there is no window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuietHours(Vec<Window>);

impl QuietHours {
    /// Quiet in these windows.
    ///
    /// # Errors
    /// [`Malformed`] at `quiet_hours.windows` for a window that is none, for too many, and for windows that leave no minute of the week.
    pub fn of(windows: Vec<Window>) -> Result<Self, Malformed> {
        let at = |malformed: Malformed| malformed.at("quiet_hours.windows");
        if windows.len() > WINDOWS {
            return Err(at(Malformed::new(format!("must have at most {WINDOWS} windows"))));
        }
        windows.iter().try_for_each(Window::check).map_err(at)?;
        let quiet = Self(windows);
        if quiet.minutes_left(1, 0).is_none() {
            return Err(at(Malformed::new(
                "must leave some time of the week: switch the channel off instead",
            )));
        }
        Ok(quiet)
    }

    /// The windows.
    #[must_use]
    pub fn windows(&self) -> &[Window] {
        &self.0
    }

    /// When the quiet ends in which this moment lies; none if it lies in none.
    #[must_use]
    pub fn end(&self, now: Timestamp, clock: &WallClock) -> Option<Timestamp> {
        if self.0.is_empty() {
            return None;
        }
        let shown = clock.shows(now);
        if !self.covers(shown) {
            return None;
        }
        let left = self.minutes_left(shown.weekday, shown.minute)?;
        let guess = full_minute(now).plus(MINUTE * left.unsigned_abs());
        // Clocks that go on evenly come to the end after so many minutes. If they were put back or forth meanwhile, it is looked for.
        if clock.shows(guess) == later(shown, left, clock.shows(guess)) {
            return Some(guess);
        }
        Some(scan(now, 2 * WEEK, |time| !self.covers(clock.shows(time))))
    }

    fn covers(&self, shown: LocalTime) -> bool {
        self.0.iter().any(|window| window.covers(shown.weekday, shown.minute))
    }

    /// After how many minutes of an even clock no window covers what it shows; none if that never comes.
    fn minutes_left(&self, weekday: i32, minute: i32) -> Option<i32> {
        let begin = (weekday - 1) * DAY + minute;
        (0..WEEK).find(|left| {
            let at = (begin + left) % WEEK;
            !self.0.iter().any(|window| window.covers(at / DAY + 1, at % DAY))
        })
    }
}

/// What an even clock shows so many minutes later, on the day that `there` says.
fn later(shown: LocalTime, minutes: i32, there: LocalTime) -> LocalTime {
    let at = (shown.weekday - 1) * DAY + shown.minute + minutes;
    LocalTime { day: there.day, weekday: at / DAY % 7 + 1, minute: at % DAY }
}

/// The beginning of the minute in which a moment lies.
pub(super) fn full_minute(time: Timestamp) -> Timestamp {
    time.minus(Duration::from_micros(time.as_micros().rem_euclid(60_000_000).unsigned_abs()))
}

/// The first full minute after a moment for which something holds, at most so many minutes ahead.
pub(super) fn scan(now: Timestamp, most: i32, holds: impl Fn(Timestamp) -> bool) -> Timestamp {
    let begin = full_minute(now);
    let at = |minute: i32| begin.plus(MINUTE * minute.unsigned_abs());
    (1..most).map(at).find(|time| holds(*time)).unwrap_or_else(|| at(most))
}

#[cfg(test)]
mod tests;
