//! When a conversation began, as its id tells.

use kernel::Timestamp;
use uuid::Uuid;

/// When conversations began that are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    /// Then or later.
    pub from: Timestamp,
    /// Before that.
    pub until: Timestamp,
}

/// How far the time in an id may be from when the conversation began, in milliseconds: ids never go back, clocks may.
const SLACK_MS: i64 = 60_000;

impl Begun {
    /// The least id that a conversation of this time may have.
    #[must_use]
    pub fn first_id(&self) -> Uuid {
        least_id(self.from, -SLACK_MS)
    }

    /// The least id that only a conversation of a later time may have.
    #[must_use]
    pub fn end_id(&self) -> Uuid {
        least_id(self.until, SLACK_MS)
    }
}

/// The least id that could be made so much after a time.
fn least_id(time: Timestamp, slack_ms: i64) -> Uuid {
    let millis = u64::try_from(time.as_micros().div_euclid(1_000).saturating_add(slack_ms)).unwrap_or(0);
    // The first 48 bits are milliseconds; what has more is later than any id.
    let millis = millis.min((1 << 48) - 1);
    Uuid::from_u128(u128::from(millis) << 80)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::Clock;

    use super::*;

    // R15
    #[test]
    fn ids_lie_behind_the_least_of_their_time() {
        let now = Timestamp::from_micros(1_767_225_600_123_456);
        let (clock, _hand) = Clock::fake(now);
        let id = clock.new_id();
        assert!(least_id(now, 0) < id && id < least_id(now, 1));
        assert!(least_id(now.plus(Duration::from_secs(60)), -SLACK_MS) < id);
        assert_eq!(least_id(Timestamp::from_micros(i64::MIN), 0), Uuid::nil());
        assert!(least_id(Timestamp::from_micros(i64::MAX), SLACK_MS) > id);
    }
}
