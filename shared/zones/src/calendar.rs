//! Days of the calendar.

use jiff::civil::Date;
use kernel::Malformed;
use serde::{Deserialize, Deserializer, Serialize};

/// A day of the calendar, such as `2026-02-28`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    pub(crate) fn of(date: Date) -> Self {
        Self(date)
    }

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

#[cfg(test)]
mod tests {
    use super::Day;

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
