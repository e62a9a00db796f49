//! When one stream looks: after its bell rang, and not too soon after the look before.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Between two looks of a stream, at least: in a busy organization changes come by the hundred, and are shown together.
const PAUSE: Duration = Duration::from_millis(100);

/// The looks of one stream.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Times>);

#[derive(Debug, Default)]
struct Times {
    /// When the bell last rang.
    rung: Option<Instant>,
    /// That ring is not answered by a look.
    open: bool,
    /// When the stream last looked.
    looked: Option<Instant>,
}

impl Pace {
    /// Resolves when the stream is to look, once `bell` rang. May be dropped while pending: a ring that was heard is still answered by
    /// the next call.
    pub(super) async fn due(&self, bell: impl Future<Output = ()>) {
        if !held(&self.0).open {
            bell.await;
            let mut times = held(&self.0);
            (times.rung, times.open) = (Some(Instant::now()), true);
        }
        let looked = held(&self.0).looked;
        if let Some(looked) = looked {
            sleep_until(looked + PAUSE).await;
        }
    }

    /// The stream looks now, as its bell rang or as it does `every` so long. A look of others will do that began at the answered time or
    /// later.
    pub(super) fn looks(&self, every: Duration) -> Instant {
        let now = Instant::now();
        let mut times = held(&self.0);
        (times.looked, times.open) = (Some(now), false);
        times.rung.max(now.checked_sub(every)).unwrap_or(now)
    }
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under a lock leaves what was known: each change is one call.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::time::timeout;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    // R16
    #[tokio::test(start_paused = true)]
    async fn a_ring_is_answered_at_once_and_the_next_one_a_pause_after_the_look() {
        let pace = Pace::default();
        let begin = Instant::now();
        assert_eq!(pace.looks(SECOND), begin - SECOND, "nothing rang: a look of the last second will do");
        tokio::time::advance(SECOND).await;
        pace.due(ready(())).await;
        assert_eq!(pace.looks(SECOND), begin + SECOND, "the ring is newer than the last second's looks");
        pace.due(ready(())).await;
        assert_eq!(begin.elapsed(), SECOND + PAUSE);
        assert_eq!(pace.looks(SECOND), begin + SECOND);
    }

    // R16, P14
    #[tokio::test(start_paused = true)]
    async fn a_ring_whose_pause_is_cut_short_is_answered_all_the_same() {
        let pace = Pace::default();
        pace.looks(SECOND);
        timeout(PAUSE / 2, pace.due(ready(()))).await.unwrap_err();
        timeout(PAUSE, pace.due(pending())).await.expect("heard, though the bell rings no more");
        pace.looks(SECOND);
        timeout(SECOND, pace.due(pending())).await.expect_err("answered by that look");
    }
}
