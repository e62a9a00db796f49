//! Numbers as people see them at once: bars, lines of small bars, and times in two units.

use std::time::Duration;

/// A bar as long as `value` is of `most`, in eighths of a character.
pub(super) fn bar(value: i64, most: i64, width: u32) -> String {
    let eighths = share(value, most, u64::from(width) * 8);
    let whole = "█".repeat(usize::try_from(eighths / 8).unwrap_or_default());
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let rest = usize::try_from(eighths % 8).ok().and_then(|it| rest.get(it)).copied();
    format!("{whole}{}", rest.unwrap_or_default())
}

/// A character for each value, as high as it is of the greatest. What is more than nothing is seen.
pub(super) fn sparkline(values: &[i64]) -> String {
    let most = values.iter().copied().max().unwrap_or_default();
    let level = |value: &i64| match share(*value, most, 7) {
        _ if *value <= 0 => ' ',
        0 => '▁',
        1 => '▂',
        2 => '▃',
        3 => '▄',
        4 => '▅',
        5 => '▆',
        6 => '▇',
        _ => '█',
    };
    values.iter().map(level).collect()
}

/// `value` of `most` as so many of `of`, rounded; something is never nothing where there is room for that.
fn share(value: i64, most: i64, of: u64) -> u64 {
    let (Ok(value), Ok(most)) = (u128::try_from(value), u128::try_from(most)) else { return 0 };
    if most == 0 || value == 0 {
        return 0;
    }
    let parts = (value.min(most) * u128::from(of) + most / 2) / most;
    u64::try_from(parts).unwrap_or(of)
}

/// A span of time in its two greatest units.
pub(super) fn span(it: Duration) -> String {
    let seconds = it.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) if seconds < 10 => format!("{:.1} s", it.as_secs_f64()),
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // G8
    #[test]
    fn bars_are_as_long_as_what_they_stand_for() {
        assert_eq!(
            (bar(10, 10, 4).as_str(), bar(5, 10, 4).as_str(), bar(0, 10, 4).as_str()),
            ("████", "██", "")
        );
        assert_eq!((bar(1, 32, 4).as_str(), bar(3, 0, 4).as_str(), bar(-1, 5, 4).as_str()), ("▏", "", ""));
        assert_eq!(bar(i64::MAX, i64::MAX, 20).chars().count(), 20);
    }

    // G8
    #[test]
    fn a_line_of_bars_shows_each_day_and_nothing_as_nothing() {
        assert_eq!(sparkline(&[0, 1, 50, 100]), " ▁▅█");
        assert_eq!((sparkline(&[]).as_str(), sparkline(&[0, 0]).as_str()), ("", "  "));
    }

    // G8
    #[test]
    fn spans_have_two_units() {
        let said = [0, 9_940, 42_000, 185_000, 7_800_000, 273_600_000]
            .map(|millis| span(Duration::from_millis(millis)));
        assert_eq!(said, ["0.0 s", "9.9 s", "42 s", "3 min 5 s", "2 h 10 min", "3 d 4 h"]);
    }
}
