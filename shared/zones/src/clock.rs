//! What clocks show.

use jiff::tz::TimeZone;
use kernel::Timestamp;

use crate::Day;

/// What clocks and calendars in a zone show.
#[derive(Debug, Clone)]
pub struct WallClock(TimeZone);

/// A moment as clocks and calendars show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// The day.
    pub day: Day,
    /// 1 is Monday, 7 is Sunday.
    pub weekday: i32,
    /// Minutes after midnight on the clock, which may leave some out or show some twice on a day.
    pub minute: i32,
}

impl WallClock {
    pub(crate) fn of(rules: TimeZone) -> Self {
        Self(rules)
    }

    /// What they show at this moment.
    #[must_use]
    pub fn shows(&self, time: Timestamp) -> LocalTime {
        let shown = self.0.to_datetime(instant(time));
        LocalTime {
            day: Day::of(shown.date()),
            weekday: i32::from(shown.weekday().to_monday_one_offset()),
            minute: i32::from(shown.hour()) * 60 + i32::from(shown.minute()),
        }
    }

    /// The day: `22 November 2026`.
    #[must_use]
    pub fn day(&self, time: Timestamp) -> String {
        self.written(time, "%-d %B %Y")
    }

    /// The time of day: `14:03:22`.
    #[must_use]
    pub fn time(&self, time: Timestamp) -> String {
        self.written(time, "%H:%M:%S")
    }

    /// Both, with the distance from UTC, as the zone may have two in a year: `22 November 2026, 14:03:22 (UTC-03:00)`.
    #[must_use]
    pub fn moment(&self, time: Timestamp) -> String {
        self.written(time, "%-d %B %Y, %H:%M:%S (UTC%:z)")
    }

    fn written(&self, time: Timestamp, format: &str) -> String {
        instant(time).to_zoned(self.0.clone()).strftime(format).to_string()
    }
}

impl Default for WallClock {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

/// A moment as RFC 3339 writes it, in UTC, to the microsecond: `2026-11-22T17:03:22.120000Z`.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    instant(time).strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// The moment, or the nearest one that calendars have: the years -9999 to 9999.
#[must_use]
pub fn instant(time: Timestamp) -> jiff::Timestamp {
    let micros = time.as_micros();
    let nearest = if micros < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(micros).unwrap_or(nearest)
}

#[cfg(test)]
mod tests {
    use super::rfc3339;
    use crate::Zone;
    use kernel::Timestamp;

    /// 2026-07-01T12:00:00.5Z, and half a year later.
    const SUMMER: Timestamp = Timestamp::from_micros(1_782_907_200_500_000);
    const WINTER: Timestamp = Timestamp::from_micros(1_798_804_800_500_000);

    #[test]
    fn times_are_those_of_the_zone_with_its_daylight_saving() {
        let clock = Zone::parse("europe/berlin").unwrap().clock();
        assert_eq!(clock.moment(SUMMER), "1 July 2026, 14:00:00 (UTC+02:00)");
        assert_eq!(clock.moment(WINTER), "1 January 2027, 13:00:00 (UTC+01:00)");
        let clock = Zone::parse("Asia/Kathmandu").unwrap().clock();
        assert_eq!((clock.day(SUMMER).as_str(), clock.time(SUMMER).as_str()), ("1 July 2026", "17:45:00"));
        assert_eq!(Zone::UTC.clock().moment(SUMMER), "1 July 2026, 12:00:00 (UTC+00:00)");
    }

    // R9
    #[test]
    fn clocks_show_the_day_the_weekday_and_the_minute() {
        let berlin = Zone::parse("Europe/Berlin").unwrap().clock();
        let shown = berlin.shows(SUMMER);
        assert_eq!((shown.day.to_string().as_str(), shown.weekday, shown.minute), ("2026-07-01", 3, 14 * 60));
        let shown = berlin.shows(WINTER);
        assert_eq!((shown.day.to_string().as_str(), shown.weekday, shown.minute), ("2027-01-01", 5, 13 * 60));
    }

    #[test]
    fn moments_at_the_ends_of_time_are_shown_and_do_no_harm() {
        assert_eq!(rfc3339(SUMMER), "2026-07-01T12:00:00.500000Z");
        for micros in [i64::MIN, i64::MAX, 0] {
            let (time, clock) = (Timestamp::from_micros(micros), Zone::UTC.clock());
            assert!(!rfc3339(time).is_empty() && !clock.moment(time).is_empty());
            assert!((1..=7).contains(&clock.shows(time).weekday));
        }
    }
}
