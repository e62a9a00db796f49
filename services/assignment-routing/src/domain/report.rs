//! How much people and teams did, day by day (R19). What happened is counted into quarters of an hour ([`Slot`]), of which the days of
//! any time zone are made: [`super::report_tally`] counts, [`super::report_days`] knows the days, and here they become figures.

use std::time::Duration;

use kernel::Timestamp;

use super::report_days::DaySpan;
use zones::{Day, Zone};

/// A quarter of an hour: so many of them since 1970 began in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(i64);

impl Slot {
    const MICROS: i64 = 15 * 60 * 1_000_000;

    /// So many are a day in UTC.
    const OF_A_DAY: i64 = 96;

    /// The one in which a moment lies.
    #[must_use]
    pub fn of(time: Timestamp) -> Self {
        Self(time.as_micros().div_euclid(Self::MICROS))
    }

    /// The one of that number.
    #[must_use]
    pub fn numbered(number: i64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> i64 {
        self.0
    }

    /// Its first moment.
    #[must_use]
    pub fn begin(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(Self::MICROS))
    }

    /// In UTC: its day, as a number of days since 1970, and which of the day it is, from 0.
    #[must_use]
    pub fn of_day(self) -> (i64, i64) {
        (self.0.div_euclid(Self::OF_A_DAY), self.0.rem_euclid(Self::OF_A_DAY))
    }

    /// As [`Slot::of_day`] tells it.
    #[must_use]
    pub fn on_day(day: i64, quarter: i64) -> Self {
        Self(day.saturating_mul(Self::OF_A_DAY).saturating_add(quarter))
    }

    /// So many later.
    #[must_use]
    pub fn plus(self, slots: i64) -> Self {
        Self(self.0.saturating_add(slots))
    }
}

/// What an agent or a team did in a slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Conversations that were given.
    pub assigned: i64,
    /// Conversations that were resolved.
    pub resolved: i64,
    /// How many more were open at its end than at its beginning.
    pub opened: i64,
}

/// How long it took in a slot, in milliseconds, in no order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waits {
    /// Until customers were first answered.
    pub first_responses: Vec<u64>,
    /// Until conversations were resolved.
    pub resolutions: Vec<u64>,
}

/// How long something took, over many conversations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// How many there were.
    pub count: usize,
    /// At least half of them took no longer; `None` if there were none.
    pub median: Option<Duration>,
    /// At least nine of ten took no longer; `None` if there were none.
    pub p90: Option<Duration>,
}

impl Times {
    /// Of these, in milliseconds.
    #[must_use]
    pub fn of(millis: &mut [u64]) -> Self {
        // The nearest rank: of ten, the median is the fifth and p90 the ninth.
        let mut at = |tenths: usize| {
            let rank = (millis.len() * tenths).div_ceil(10);
            let place = rank.checked_sub(1)?;
            Some(Duration::from_millis(*millis.select_nth_unstable(place).1))
        };
        let (median, p90) = (at(5), at(9));
        Self { count: millis.len(), median, p90 }
    }
}

/// What happened in a stretch of days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Conversations that were given.
    pub assigned: i64,
    /// Conversations that were resolved.
    pub resolved: i64,
    /// Conversations that were open at its end.
    pub open: i64,
    /// Until customers were first answered.
    pub first_response: Times,
    /// Until conversations were resolved.
    pub resolution: Times,
}

/// A stretch of days, day by day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whose days these are.
    pub zone: Zone,
    /// The days, oldest first.
    pub days: Vec<(Day, Figures)>,
    /// All of them together.
    pub total: Figures,
    /// Whether all that has happened is counted.
    pub complete: bool,
}

/// Makes a report of what was counted in its slots.
#[derive(Debug)]
pub struct Reporter {
    days: Vec<DaySpan>,
    sums: Vec<(Counts, Waits)>,
}

impl Reporter {
    /// For these days, oldest first, each behind the one before.
    #[must_use]
    pub fn new(days: Vec<DaySpan>) -> Self {
        let sums = vec![Default::default(); days.len()];
        Self { days, sums }
    }

    /// Adds what was done in a slot; one of no day is left out.
    pub fn count(&mut self, slot: Slot, counts: Counts) {
        if let Some((sum, _)) = self.of(slot) {
            sum.assigned += counts.assigned;
            sum.resolved += counts.resolved;
            sum.opened += counts.opened;
        }
    }

    /// Adds how long it took in a slot.
    pub fn wait(&mut self, slot: Slot, waits: Waits) {
        if let Some((_, all)) = self.of(slot) {
            all.first_responses.extend(waits.first_responses);
            all.resolutions.extend(waits.resolutions);
        }
    }

    fn of(&mut self, slot: Slot) -> Option<&mut (Counts, Waits)> {
        let day = self.days.partition_point(|day| day.end <= slot);
        self.days.get(day).filter(|day| day.begin <= slot)?;
        self.sums.get_mut(day)
    }

    /// The report. `open` were open before its first day.
    #[must_use]
    pub fn done(self, zone: Zone, mut open: i64, complete: bool) -> Report {
        let (mut all, mut total) = (Waits::default(), Figures::default());
        let mut days = Vec::with_capacity(self.days.len());
        for (day, (counts, mut waits)) in self.days.into_iter().zip(self.sums) {
            open += counts.opened;
            total.assigned += counts.assigned;
            total.resolved += counts.resolved;
            let figures = Figures {
                assigned: counts.assigned,
                resolved: counts.resolved,
                open,
                first_response: Times::of(&mut waits.first_responses),
                resolution: Times::of(&mut waits.resolutions),
            };
            // Moved, not copied: over a year these are many.
            all.first_responses.append(&mut waits.first_responses);
            all.resolutions.append(&mut waits.resolutions);
            days.push((day.day, figures));
        }
        total.open = open;
        total.first_response = Times::of(&mut all.first_responses);
        total.resolution = Times::of(&mut all.resolutions);
        Report { zone, days, total, complete }
    }
}

/// Jain's index of fairness: from 1 / n, where one of n got all, to 1, where each got as many. 1 where nobody got any.
#[must_use]
pub fn fairness(given: impl IntoIterator<Item = i64>) -> f64 {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for it in given {
        let it = it as f64;
        count += 1.0;
        sum += it;
        squares += it * it;
    }
    if squares == 0.0 { 1.0 } else { sum * sum / (count * squares) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(it: Option<Duration>) -> Option<u128> {
        it.map(|it| it.as_millis())
    }

    // R19
    #[test]
    fn quantiles_are_the_nearest_rank_and_exact() {
        let ten = Times::of(&mut (1..=10).rev().collect::<Vec<_>>());
        assert_eq!((ten.count, millis(ten.median), millis(ten.p90)), (10, Some(5), Some(9)));
        let eleven = Times::of(&mut (1..=11).collect::<Vec<_>>());
        assert_eq!((millis(eleven.median), millis(eleven.p90)), (Some(6), Some(10)));
        let one = Times::of(&mut [7]);
        assert_eq!((millis(one.median), millis(one.p90)), (Some(7), Some(7)));
        assert_eq!(Times::of(&mut []), Times::default());
    }

    // R19
    #[test]
    fn the_fairness_index_goes_from_one_of_n_to_one() {
        assert!((fairness([5, 5, 5]) - 1.0).abs() < 1e-12);
        assert!((fairness([9, 0, 0]) - 1.0 / 3.0).abs() < 1e-12);
        assert!((fairness([1, 2, 3]) - 36.0 / 42.0).abs() < 1e-12);
        assert!((fairness([]) - 1.0).abs() < 1e-12);
    }

    // R19
    #[test]
    fn a_slot_begins_where_the_one_before_ends_also_before_1970() {
        for micros in [-1, 0, 899_999_999, 900_000_000] {
            let slot = Slot::of(Timestamp::from_micros(micros));
            assert!(slot.begin().as_micros() <= micros && micros < slot.plus(1).begin().as_micros());
        }
        let before = Slot::of(Timestamp::from_micros(-1));
        assert_eq!((before.number(), before.of_day(), Slot::on_day(-1, 95)), (-1, (-1, 95), before));
    }
}
