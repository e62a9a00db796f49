//! Business time: how much of it lies between two moments, and when so much of it is over (R17).
//!
//! Time is cut into pieces in which the clocks of the zone go on evenly, on one day. In such a piece what the clocks show says how long
//! it takes, so that a piece costs a look or two at the rules of the zone, however many minutes it has.

use std::time::Duration;

use kernel::Timestamp;

use super::Hours;
use zones::LocalTime;

const MINUTE: Duration = Duration::from_secs(60);

/// Minutes that the clocks of a day show.
const DAY: i32 = 24 * 60;

/// How far ahead time is counted, in pieces: a day is one or two. Whoever works an hour a year may be asked for more than that.
const FARTHEST: usize = 12 * 366;

/// A stretch of time in which the clocks go on evenly, on one day.
#[derive(Debug, Clone, Copy)]
struct Piece {
    from: Timestamp,
    to: Timestamp,
    /// What clocks and calendars show at its beginning.
    shown: LocalTime,
}

impl Hours {
    /// The moment at which this much business time is over, counted from `start` on; none if that is more than about twelve years ahead.
    #[must_use]
    pub fn add(&self, start: Timestamp, span: Duration) -> Option<Timestamp> {
        if span.is_zero() || self.always() {
            return Some(start.plus(span));
        }
        let mut left = span;
        for (from, to) in self.pieces(start).take(FARTHEST).flat_map(|piece| self.open_in(piece)) {
            let length = to.since(from);
            if left <= length {
                return Some(from.plus(left));
            }
            left -= length;
        }
        None
    }

    /// How much business time lies between two moments; none if `end` is not after `start`.
    #[must_use]
    pub fn between(&self, start: Timestamp, end: Timestamp) -> Duration {
        if self.always() {
            return end.since(start);
        }
        let pieces = self.pieces(start).take_while(|piece| piece.from < end);
        pieces.flat_map(|piece| self.open_in(piece)).map(|(from, to)| to.min(end).since(from)).sum()
    }

    fn always(&self) -> bool {
        self.week.intervals.is_empty() && self.week.holidays.is_empty()
    }

    fn pieces(&self, start: Timestamp) -> impl Iterator<Item = Piece> {
        let first = self.piece(start);
        // At the end of what a timestamp can say, time does not go on.
        std::iter::successors(Some(first), |last| (last.to > last.from).then(|| self.piece(last.to)))
    }

    /// The piece that begins at a moment.
    fn piece(&self, from: Timestamp) -> Piece {
        let shown = self.clock.shows(from);
        let left = DAY - shown.minute;
        let even = |minutes: i32| {
            let last = self.clock.shows(later(from, minutes).minus(Duration::from_micros(1)));
            last.day == shown.day && last.minute == shown.minute + minutes - 1
        };
        let minutes = if even(left) { left } else { last_even(left, even) };
        Piece { from, to: later(from, minutes), shown }
    }

    /// The stretches of a piece in which they work.
    fn open_in(&self, piece: Piece) -> Vec<(Timestamp, Timestamp)> {
        if self.week.is_holiday(piece.shown.day) {
            return Vec::new();
        }
        let place = |minute: i32| later(piece.from, minute - piece.shown.minute).clamp(piece.from, piece.to);
        let stretches =
            self.opens(piece.shown.weekday).into_iter().map(|(from, to)| (place(from), place(to)));
        stretches.filter(|(from, to)| from < to).collect()
    }

    /// The minutes of a weekday in which they work, those that touch or overlap as one.
    fn opens(&self, weekday: i32) -> Vec<(i32, i32)> {
        if self.week.intervals.is_empty() {
            return vec![(0, DAY)];
        }
        let mut all: Vec<(i32, i32)> = Vec::new();
        // They are in the order of their beginnings.
        for it in self.week.intervals.iter().filter(|it| it.weekday == weekday) {
            match all.last_mut() {
                Some((_, end)) if *end >= it.start_minute => *end = it.end_minute.max(*end),
                _ => all.push((it.start_minute, it.end_minute)),
            }
        }
        all
    }
}

/// The moment at which the clocks, going on evenly, show so many full minutes later than at `from`.
fn later(from: Timestamp, minutes: i32) -> Timestamp {
    let into = Duration::from_micros(from.as_micros().rem_euclid(60_000_000).unsigned_abs());
    let full = from.minus(into);
    let span = MINUTE * minutes.unsigned_abs();
    if minutes < 0 { full.minus(span) } else { full.plus(span) }
}

/// The greatest number of minutes up to which the clocks go on evenly: less than `uneven`, and one at least.
fn last_even(uneven: i32, even: impl Fn(i32) -> bool) -> i32 {
    let (mut surely, mut not) = (1, uneven.max(2));
    while not - surely > 1 {
        let middle = surely + (not - surely) / 2;
        if even(middle) { surely = middle } else { not = middle }
    }
    surely
}

#[cfg(test)]
mod tests;
