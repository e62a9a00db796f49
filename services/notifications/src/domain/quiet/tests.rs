use super::*;
use proptest::prelude::*;
use zones::Zone;

/// 2026-01-01T00:00:00Z, a Thursday.
const NEW_YEAR: i64 = 1_767_225_600_000_000;

/// Zones that put their clocks back and forth: by an hour, by half an hour, at midnight, south of the equator, and not at all.
const ZONES: [&str; 7] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "UTC",
];

fn clock(zone: &str) -> WallClock {
    Zone::parse(zone).unwrap().clock()
}

fn window(weekdays: &[i32], start_minute: i32, end_minute: i32) -> Window {
    Window { weekdays: weekdays.to_vec(), start_minute, end_minute }
}

fn nights() -> QuietHours {
    QuietHours::of(vec![window(&[], 22 * 60, 7 * 60)]).unwrap()
}

/// A moment that RFC 3339 writes, in UTC.
fn at(text: &str) -> Timestamp {
    let time: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_micros(time.as_microsecond())
}

// D6
#[test]
fn a_night_goes_over_midnight() {
    let berlin = clock("Europe/Berlin");
    assert_eq!(nights().end(at("2026-01-10T20:59:59Z"), &berlin), None);
    assert_eq!(nights().end(at("2026-01-10T21:00:00Z"), &berlin), Some(at("2026-01-11T06:00:00Z")));
    assert_eq!(nights().end(at("2026-01-11T05:59:59Z"), &berlin), Some(at("2026-01-11T06:00:00Z")));
    assert_eq!(nights().end(at("2026-01-11T06:00:00Z"), &berlin), None);
}

// D6
#[test]
fn a_night_in_which_clocks_are_put_forth_is_an_hour_shorter_and_the_other_an_hour_longer() {
    let berlin = clock("Europe/Berlin");
    assert_eq!(nights().end(at("2026-03-28T21:30:00Z"), &berlin), Some(at("2026-03-29T05:00:00Z")));
    assert_eq!(nights().end(at("2026-10-24T20:30:00Z"), &berlin), Some(at("2026-10-25T06:00:00Z")));
}

// D6
#[test]
fn a_quiet_weekend_ends_on_monday_and_windows_that_touch_are_one() {
    let quiet =
        QuietHours::of(vec![window(&[6, 7], 0, 1440), window(&[1, 2, 3, 4, 5], 20 * 60, 24 * 60)]).unwrap();
    // Friday evening until Monday morning.
    assert_eq!(quiet.end(at("2026-01-09T20:00:00Z"), &clock("UTC")), Some(at("2026-01-12T00:00:00Z")));
    assert_eq!(quiet.end(at("2026-01-09T19:59:00Z"), &clock("UTC")), None);
}

// D6
#[test]
fn windows_that_are_none_or_leave_no_time_are_refused() {
    for bad in [
        window(&[], 60, 60),
        window(&[], -1, 60),
        window(&[], 0, 1441),
        window(&[], 1440, 60),
        window(&[0], 0, 60),
        window(&[8], 0, 60),
        window(&[], 0, 1440),
    ] {
        assert_eq!(
            QuietHours::of(vec![bad.clone()]).unwrap_err().field(),
            Some("quiet_hours.windows"),
            "{bad:?}"
        );
    }
    let halves = vec![window(&[], 0, 720), window(&[], 720, 1440)];
    assert!(QuietHours::of(halves).is_err());
    assert!(QuietHours::of(vec![window(&[1], 0, 60); 15]).is_err());
    assert_eq!(QuietHours::of(Vec::new()).unwrap().end(at("2026-01-09T20:00:00Z"), &clock("UTC")), None);
}

fn windows() -> impl Strategy<Value = Vec<Window>> {
    let window = (proptest::collection::vec(1..=7, 0..3), 0..DAY, 0..=DAY)
        .prop_map(|(weekdays, start_minute, end_minute)| Window { weekdays, start_minute, end_minute });
    proptest::collection::vec(window, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    // D6
    #[test]
    fn quiet_ends_in_the_first_minute_that_the_wall_clock_shows_outside_of_it(
        windows in windows(),
        zone in 0..ZONES.len(),
        // Any second of 2026; often near the days on which clocks are put back or forth.
        second in prop_oneof![0_i64..365 * 86_400, 86 * 86_400..89 * 86_400_i64, 296 * 86_400..299 * 86_400_i64],
    ) {
        let Ok(quiet) = QuietHours::of(windows) else { return Ok(()) };
        let (clock, now) = (clock(ZONES[zone]), Timestamp::from_micros(NEW_YEAR + second * 1_000_000));
        let quiet_at = |time: Timestamp| quiet.covers(clock.shows(time));
        match quiet.end(now, &clock) {
            None => prop_assert!(!quiet_at(now)),
            Some(end) => {
                prop_assert!(end > now && !quiet_at(end));
                let mut minute = full_minute(now);
                while minute < end {
                    prop_assert!(quiet_at(minute), "{minute:?} is before the end {end:?} and not quiet");
                    minute = minute.plus(MINUTE);
                }
            }
        }
    }
}
