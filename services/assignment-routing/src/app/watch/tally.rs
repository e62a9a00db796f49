//! When a stream counts its views, and what it said last.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::view::View;

/// Between two counts, at least.
const PAUSE: Duration = Duration::from_secs(1);

/// Counting may take one part in so many of a stream's time: where it is slow, it is done less often.
const SHARE: u32 = 20;

/// The counts of one stream.
#[derive(Debug)]
pub(super) struct Tally {
    /// Something changed since they were counted.
    stale: bool,
    /// When to count again, at the earliest.
    next: Option<Instant>,
    said: Vec<(View, i64)>,
}

impl Tally {
    /// Nothing is counted yet.
    pub(super) fn new() -> Self {
        Self { stale: true, next: None, said: Vec::new() }
    }

    /// A view changed.
    pub(super) fn changed(&mut self) {
        self.stale = true;
    }

    /// Whether to count now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.stale && self.next.is_none_or(|next| now >= next)
    }

    /// The views were counted, which took from `begin` to `end`; says whether that is news.
    pub(super) fn counted(&mut self, counts: &[(View, i64)], begin: Instant, end: Instant) -> bool {
        self.stale = false;
        self.next = Some(end + PAUSE.max((end - begin) * SHARE));
        let news = self.said != counts;
        self.said = counts.to_vec();
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // R16
    #[test]
    fn views_are_counted_at_once_then_once_a_second_and_less_often_where_that_is_slow() {
        let mut tally = Tally::new();
        let begin = Instant::now();
        let after = |millis| begin + Duration::from_millis(millis);
        assert!(tally.is_due(begin));
        assert!(tally.counted(&[(View::Mine, 1)], begin, after(10)));
        assert!(!tally.is_due(after(5_000)), "nothing changed");
        tally.changed();
        assert!(!tally.is_due(after(1_000)) && tally.is_due(after(1_010)));
        assert!(!tally.counted(&[(View::Mine, 1)], after(2_000), after(2_500)), "the same is no news");
        tally.changed();
        assert!(!tally.is_due(after(12_000)) && tally.is_due(after(12_500)));
    }
}
