//! How long to wait before trying again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);

/// The longest wait after a refusal.
pub(crate) const REFUSED_CAP: Duration = Duration::from_secs(300);

/// The longest wait while a peer cannot be reached: it bounds how late events are once it is back.
pub(crate) const UNREACHABLE_CAP: Duration = Duration::from_secs(30);

/// The wait after `failures` failures in a row (at least 1): 250 ms doubling to `cap`, less up to a quarter by
/// `jitter` (0 to 255), so that many relays do not come back in step.
pub(crate) fn wait(failures: u32, cap: Duration, jitter: u8) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    let full = FIRST.saturating_mul(1 << doublings).min(cap);
    full - full.mul_f64(f64::from(jitter) / 255.0 / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_from_a_quarter_second_up_to_the_cap() {
        let waits: Vec<u128> = (1..=9).map(|n| wait(n, UNREACHABLE_CAP, 0).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(wait(u32::MAX, REFUSED_CAP, 0), REFUSED_CAP);
    }

    #[test]
    fn jitter_takes_away_at_most_a_quarter() {
        assert_eq!(wait(3, REFUSED_CAP, 255), Duration::from_millis(750));
    }
}
