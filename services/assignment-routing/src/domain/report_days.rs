//! The days of a report, in the slots of its time zone. Days begin on a quarter of an hour everywhere since the 1970s: clocks differ from
//! UTC by whole quarters, and change by such.

use super::report::Slot;
use zones::{Day, WallClock};

/// Days of one report, at most.
pub const MOST_DAYS: usize = 366;

/// Where a report begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// On that day.
    On(Day),
    /// So that there are so many days, at least one.
    Before(usize),
}

/// A local day is shorter than so many slots, also where clocks are turned back.
const LONGER_THAN_A_DAY: i64 = 27 * 4;

/// A day, and its slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaySpan {
    /// The day.
    pub day: Day,
    /// Its first slot.
    pub begin: Slot,
    /// The slot behind its last.
    pub end: Slot,
}

/// Why a stretch of days is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadStretch {
    /// It ends before it begins.
    Backwards,
    /// It has more days than [`MOST_DAYS`].
    TooLong,
}

/// The days of a zone.
#[derive(Debug)]
pub struct Calendar(WallClock);

impl Calendar {
    /// Of the zone with these clocks.
    #[must_use]
    pub fn of(clock: WallClock) -> Self {
        Self(clock)
    }

    /// The days from the first to the last, without those that begin behind `now`. Without a last one: to the day of `now`.
    ///
    /// # Errors
    /// [`BadStretch`].
    pub fn days(&self, start: Start, last: Option<Day>, now: Slot) -> Result<Vec<DaySpan>, BadStretch> {
        let today = self.day(now);
        let last = last.unwrap_or(today);
        let mut begin = match start {
            Start::On(first) if last < first => return Err(BadStretch::Backwards),
            Start::On(first) => self.first_slot(first),
            Start::Before(count) => (1..count).fold(self.first_slot(last), |begin, _| self.day_before(begin)),
        };
        let mut days = Vec::new();
        loop {
            let day = self.day(begin);
            if day > last || begin > now {
                return Ok(days);
            }
            if days.len() == MOST_DAYS {
                return Err(BadStretch::TooLong);
            }
            let end = search(begin, begin.plus(LONGER_THAN_A_DAY), |slot| self.day(slot) > day);
            days.push(DaySpan { day, begin, end });
            begin = end;
        }
    }

    /// The day that calendars show when the slot begins.
    fn day(&self, slot: Slot) -> Day {
        self.0.shows(slot.begin()).day
    }

    /// Where the day begins before one that begins there.
    fn day_before(&self, begin: Slot) -> Slot {
        let day = self.day(begin.plus(-1));
        search(begin.plus(-LONGER_THAN_A_DAY), begin, |slot| self.day(slot) >= day)
    }

    /// Where a day begins, or the next one where calendars left it out.
    fn first_slot(&self, day: Day) -> Slot {
        // All that timestamps can tell: calendars end before.
        let (low, high) = (
            Slot::of(kernel::Timestamp::from_micros(i64::MIN)),
            Slot::of(kernel::Timestamp::from_micros(i64::MAX)),
        );
        search(low, high, |slot| self.day(slot) >= day)
    }
}

/// The first slot from `low` on of which it holds; `high` at the latest.
fn search(mut low: Slot, mut high: Slot, holds: impl Fn(Slot) -> bool) -> Slot {
    while low < high {
        let middle = low.plus((high.number() - low.number()) / 2);
        if holds(middle) {
            high = middle;
        } else {
            low = middle.plus(1);
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use zones::Zone;

    /// 2026-01-01T00:00:00Z.
    const NEW_YEAR: i64 = 1_767_225_600_000_000;
    const DAY: i64 = 24 * 60 * 60 * 1_000_000;

    /// Those with quarters and half hours, with days that were left out, with clocks that change at midnight.
    const ZONES: [&str; 14] = [
        "UTC",
        "Europe/Berlin",
        "Asia/Kathmandu",
        "Asia/Kolkata",
        "Australia/Eucla",
        "Australia/Lord_Howe",
        "Pacific/Chatham",
        "Pacific/Apia",
        "Pacific/Kiritimati",
        "America/Caracas",
        "America/Sao_Paulo",
        "America/Havana",
        "Asia/Pyongyang",
        "Africa/Casablanca",
    ];

    fn calendar(zone: &str) -> Calendar {
        Calendar::of(Zone::parse(zone).unwrap().clock())
    }

    fn on(text: &str) -> Start {
        Start::On(Day::parse(text).unwrap())
    }

    fn to(text: &str) -> Option<Day> {
        Some(Day::parse(text).unwrap())
    }

    fn now() -> Slot {
        Slot::of(Timestamp::from_micros(NEW_YEAR + 300 * DAY))
    }

    fn lengths(zone: &str, first: &str, last: &str) -> Vec<(String, i64)> {
        let days = calendar(zone).days(on(first), to(last), now()).unwrap();
        days.iter().map(|it| (it.day.to_string(), it.end.number() - it.begin.number())).collect()
    }

    // R19
    #[test]
    fn days_are_as_long_as_their_zone_makes_them() {
        let of = |day: &str, slots| (day.to_owned(), slots);
        let spring = lengths("Europe/Berlin", "2026-03-28", "2026-03-30");
        assert_eq!(spring, [of("2026-03-28", 96), of("2026-03-29", 92), of("2026-03-30", 96)]);
        assert_eq!(lengths("Europe/Berlin", "2026-10-25", "2026-10-25"), [of("2026-10-25", 100)]);
        assert_eq!(lengths("Australia/Lord_Howe", "2026-04-05", "2026-04-05"), [of("2026-04-05", 98)]);
        // Samoa went from one side of the date line to the other.
        let samoa = lengths("Pacific/Apia", "2011-12-29", "2011-12-31");
        assert_eq!(samoa, [of("2011-12-29", 96), of("2011-12-31", 96)]);
        assert_eq!(lengths("Pacific/Apia", "2011-12-30", "2011-12-30"), []);
    }

    // R19
    #[test]
    fn a_report_ends_today_unless_somebody_says_otherwise() {
        let berlin = calendar("Europe/Berlin");
        // Half an hour before midnight in UTC it is the next day there.
        let late = Slot::of(Timestamp::from_micros(NEW_YEAR + DAY - 1_800_000_000));
        let week = berlin.days(Start::Before(7), None, late).unwrap();
        let names: Vec<String> = week.iter().map(|it| it.day.to_string()).collect();
        assert_eq!((names.len(), names[0].as_str(), names[6].as_str()), (7, "2025-12-27", "2026-01-02"));
        let begun = berlin.days(on("2026-01-01"), to("2026-01-31"), late).unwrap();
        assert_eq!(begun.len(), 2, "days that have not begun are left out");
        let before = berlin.days(Start::Before(7), to("2025-03-03"), late).unwrap();
        assert_eq!((before.len(), before[0].day.to_string().as_str()), (7, "2025-02-25"));
        let year = berlin.days(Start::Before(366), None, late).unwrap();
        assert_eq!((year.len(), year[0].day.to_string().as_str()), (366, "2025-01-02"));
        assert_eq!(berlin.days(Start::Before(1), None, late).unwrap(), week[6..]);
    }

    // R19
    #[test]
    fn what_is_no_stretch_of_at_most_366_days_is_refused() {
        let utc = calendar("UTC");
        assert_eq!(utc.days(on("2024-01-01"), to("2024-12-31"), now()).unwrap().len(), 366);
        assert_eq!(utc.days(on("2024-01-01"), to("2025-01-01"), now()), Err(BadStretch::TooLong));
        assert_eq!(utc.days(on("0001-01-01"), to("9999-12-31"), now()), Err(BadStretch::TooLong));
        assert_eq!(utc.days(on("2026-01-02"), to("2026-01-01"), now()), Err(BadStretch::Backwards));
        assert_eq!(utc.days(on("9999-12-30"), to("9999-12-31"), now()).unwrap(), []);
    }

    proptest! {
        // R19
        #[test]
        fn days_cover_every_slot_once_and_each_slot_is_of_one_day(
            zone in prop::sample::select(ZONES.to_vec()),
            // From 2000 to 2030.
            from in 946_684_800_000_000i64..1_893_456_000_000_000,
        ) {
            let calendar = calendar(zone);
            let first = calendar.day(Slot::of(Timestamp::from_micros(from)));
            let last = calendar.day(Slot::of(Timestamp::from_micros(from + 40 * DAY)));
            let days = calendar.days(Start::On(first), Some(last), Slot::of(Timestamp::from_micros(from + 400 * DAY))).unwrap();
            prop_assert!(days.windows(2).all(|pair| pair[0].end == pair[1].begin && pair[0].day < pair[1].day));
            prop_assert!(calendar.day(days[0].begin.plus(-1)) < first);
            for it in &days {
                // A slot is of one day from its first moment to its last.
                let last_moment = Timestamp::from_micros(it.end.begin().as_micros() - 1);
                prop_assert_eq!(calendar.0.shows(last_moment).day, it.day);
                let slots = it.begin.number()..it.end.number();
                prop_assert!(slots.into_iter().all(|slot| calendar.day(Slot::numbered(slot)) == it.day));
            }
        }
    }
}
