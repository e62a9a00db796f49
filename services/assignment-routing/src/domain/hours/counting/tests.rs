use proptest::prelude::*;

use super::*;
use crate::domain::agent::WorkingHours;
use crate::domain::hours::{BusinessWeek, Holiday};
use zones::{Day, Zone};

const MINUTE_MICROS: i64 = 60_000_000;
const HOUR: Duration = Duration::from_secs(60 * 60);
/// 2026-01-01T00:00:00Z, a Thursday.
const NEW_YEAR: i64 = 1_767_225_600_000_000;
/// 2026-03-29T01:00:00Z: in Berlin it is two, and then three.
const SPRING: i64 = 1_774_746_000_000_000;
/// 2026-10-25T01:00:00Z: in Berlin it is three, and then two again.
const AUTUMN: i64 = 1_792_890_000_000_000;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn hours(zone: &str, intervals: &[(i32, i32, i32)], holidays: &[&str]) -> Hours {
    let stretch =
        |&(weekday, start_minute, end_minute): &_| WorkingHours { weekday, start_minute, end_minute };
    let holiday = |date: &&str| Holiday { date: Day::parse(date).unwrap(), name: String::new() };
    let (intervals, holidays) =
        (intervals.iter().map(stretch).collect(), holidays.iter().map(holiday).collect());
    Hours::of(BusinessWeek::new(Zone::parse(zone).unwrap(), intervals, holidays).unwrap())
}

fn office(zone: &str, holidays: &[&str]) -> Hours {
    let days: Vec<_> = (1..=5).map(|weekday| (weekday, 9 * 60, 17 * 60)).collect();
    hours(zone, &days, holidays)
}

/// Business time between two full minutes, minute by minute.
fn counted(hours: &Hours, from: i64, to: i64) -> Duration {
    let minutes = (from..to).step_by(MINUTE_MICROS as usize).filter(|minute| hours.open_at(at(*minute)));
    MINUTE * u32::try_from(minutes.count()).unwrap()
}

// R17
#[test]
fn a_target_goes_on_in_the_next_hours_of_work() {
    let it = office("UTC", &["2026-01-02"]);
    // Thursday at 16:00, and a holiday on Friday: an hour on Thursday, an hour on Monday.
    let afternoon = at(NEW_YEAR).plus(16 * HOUR);
    assert_eq!(it.add(afternoon, 2 * HOUR), Some(at(NEW_YEAR).plus((4 * 24 + 10) * HOUR)));
    assert_eq!(
        it.add(afternoon, HOUR),
        Some(at(NEW_YEAR).plus(17 * HOUR)),
        "the end of the day, not the next one"
    );
    assert_eq!(it.add(at(NEW_YEAR), HOUR), Some(at(NEW_YEAR).plus(10 * HOUR)), "before they begin");
    assert_eq!(it.add(at(NEW_YEAR).plus(20 * HOUR), Duration::ZERO), Some(at(NEW_YEAR).plus(20 * HOUR)));
    assert_eq!(it.between(at(NEW_YEAR), at(NEW_YEAR).plus(7 * 24 * HOUR)), 4 * 8 * HOUR);
    assert_eq!(it.between(afternoon, at(NEW_YEAR)), Duration::ZERO);
}

// R17
#[test]
fn who_works_around_the_clock_is_counted_by_every_clock() {
    let it = Hours::of(BusinessWeek::default());
    assert_eq!(it.add(at(NEW_YEAR), 3 * HOUR), Some(at(NEW_YEAR).plus(3 * HOUR)));
    assert_eq!(it.between(at(NEW_YEAR), at(NEW_YEAR + 1)), Duration::from_micros(1));
    let closed = hours("UTC", &[], &["2026-01-02"]);
    assert_eq!(closed.add(at(NEW_YEAR), 25 * HOUR), Some(at(NEW_YEAR).plus(49 * HOUR)));
}

// R17
#[test]
fn a_day_of_23_hours_is_23_and_one_of_25_is_25() {
    let it = hours("Europe/Berlin", &(1..=7).map(|day| (day, 0, 1440)).collect::<Vec<_>>(), &["2026-01-06"]);
    for (change, length) in [(SPRING, 23), (AUTUMN, 25)] {
        // Midnight before and behind the change: in summer it is two hours ahead, in winter one.
        let (before, behind) = if length == 23 { (2, 21) } else { (3, 22) };
        let (from, to) = (at(change).minus(before * HOUR), at(change).plus(behind * HOUR));
        assert_eq!(it.between(from, to), length * HOUR);
        assert_eq!(it.add(from, length * HOUR), Some(to));
    }
    let night = hours("Europe/Berlin", &(1..=7).map(|day| (day, 2 * 60, 3 * 60)).collect::<Vec<_>>(), &[]);
    assert_eq!(night.between(at(SPRING).minus(12 * HOUR), at(SPRING).plus(12 * HOUR)), Duration::ZERO);
    assert_eq!(night.between(at(AUTUMN).minus(12 * HOUR), at(AUTUMN).plus(12 * HOUR)), 2 * HOUR);
}

// R17
#[test]
fn stretches_that_overlap_count_once() {
    let it = hours("UTC", &[(4, 540, 600), (4, 570, 660), (4, 660, 720), (4, 545, 550)], &[]);
    assert_eq!(it.between(at(NEW_YEAR), at(NEW_YEAR).plus(24 * HOUR)), 3 * HOUR);
}

// R17
#[test]
fn what_never_comes_is_not_waited_for_and_no_moment_is_too_far() {
    let it = hours("UTC", &[(1, 0, 1)], &[]);
    assert_eq!(it.add(at(NEW_YEAR), 90 * 24 * HOUR), None);
    for end in [i64::MIN, i64::MAX - 1, i64::MAX] {
        let _ = office("Europe/Berlin", &[]).add(at(end), 90 * 24 * HOUR);
        let _ = office("Europe/Berlin", &[]).between(at(end), at(end).plus(HOUR));
    }
}

fn zones() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Havana",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "Pacific/Apia",
    ])
}

fn weeks() -> impl Strategy<Value = Vec<(i32, i32, i32)>> {
    let stretch = (1i32..=7, 0i32..1439, 1i32..=720)
        .prop_map(|(weekday, start, length)| (weekday, start, (start + length).min(1440)));
    prop::collection::vec(stretch, 0..12)
}

/// Half of them around a change of the clocks in Berlin.
fn minutes() -> impl Strategy<Value = i64> {
    let around = |change: i64| (-3_000i64..3_000).prop_map(move |minute| change + minute * MINUTE_MICROS);
    prop_oneof![
        2 => (0i64..730 * 1_440).prop_map(|minute| NEW_YEAR + minute * MINUTE_MICROS),
        1 => around(SPRING),
        1 => around(AUTUMN),
    ]
}

fn free_days() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(
        vec!["2026-03-28", "2026-03-29", "2026-10-25", "2026-12-25", "2027-01-01"],
        0..5,
    )
}

proptest! {
    // R17
    #[test]
    fn business_time_is_what_counting_minute_by_minute_gives(
        zone in zones(), week in weeks(), free in free_days(), from in minutes(), length in 0i64..4_000,
    ) {
        let it = hours(zone, &week, &free);
        let to = from + length * MINUTE_MICROS;
        prop_assert_eq!(it.between(at(from), at(to)), counted(&it, from, to));
    }

    // R17
    #[test]
    fn what_is_added_lies_between_and_no_earlier_moment_has_as_much(
        zone in zones(), week in weeks(), free in free_days(), from in minutes(), into in 0i64..MINUTE_MICROS,
        span in 1u64..3 * 86_400 * 1_000_000,
    ) {
        let (it, from, span) = (hours(zone, &week, &free), at(from + into), Duration::from_micros(span));
        let Some(due) = it.add(from, span) else {
            prop_assert!(week.iter().map(|(_, start, end)| end - start).sum::<i32>() < 60);
            return Ok(());
        };
        prop_assert_eq!(it.between(from, due), span);
        prop_assert_eq!(it.between(from, due.minus(Duration::from_micros(1))), span - Duration::from_micros(1));
    }

    // R17
    #[test]
    fn business_time_adds_up_wherever_it_is_cut(
        zone in zones(), week in weeks(), free in free_days(), from in minutes(), first in 0i64..5_000_000_000i64,
        second in 0i64..500_000_000_000i64,
    ) {
        let it = hours(zone, &week, &free);
        let (start, middle, end) = (at(from), at(from + first), at(from + first + second));
        prop_assert_eq!(it.between(start, middle) + it.between(middle, end), it.between(start, end));
    }
}
