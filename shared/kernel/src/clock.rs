//! Where time and new ids come from. Everything that asks for the time is given a [`Clock`], so that a test can own it.

use crate::Timestamp;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// A source of time and of ids that carry that time. Cheap to clone; clones share the time and the order of ids.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    /// The machine's, wrong by so many microseconds.
    Wrong(i64),
    Fake(Arc<Fake>),
}

struct Fake {
    micros: AtomicI64,
    ids: Mutex<Sequence>,
}

/// The process has one sequence for the real time, however many clocks are made.
static SYSTEM_IDS: Mutex<Sequence> = Mutex::new(Sequence::START);

impl Clock {
    /// The clock of this machine.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// The clock of a machine whose time is wrong: ahead by so many seconds, or behind where negative. For tests of what must
    /// not depend on it; unlike a fake one it leaves databases their own time.
    pub const fn wrong_by(seconds: i64) -> Self {
        Self(Source::Wrong(seconds.saturating_mul(1_000_000)))
    }

    /// A clock that stands at `start` until its hand moves it.
    pub fn fake(start: Timestamp) -> (Self, Hand) {
        let fake =
            Arc::new(Fake { micros: AtomicI64::new(start.as_micros()), ids: Mutex::new(Sequence::START) });
        (Self(Source::Fake(Arc::clone(&fake))), Hand(fake))
    }

    /// True for a clock moved by hand. Databases then take their time from it as well, so that one hand moves both.
    pub const fn is_fake(&self) -> bool {
        matches!(self.0, Source::Fake(_))
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => system_time(),
            Source::Wrong(by) => Timestamp::from_micros(system_time().as_micros().saturating_add(*by)),
            Source::Fake(fake) => Timestamp::from_micros(fake.micros.load(Ordering::SeqCst)),
        }
    }

    /// A new UUIDv7: carries the clock's milliseconds, and is greater than every id this process took before, even
    /// within one millisecond and when the clock steps back.
    pub fn new_id(&self) -> Uuid {
        let millis = u64::try_from(self.now().as_micros() / 1_000).unwrap_or(0);
        let ids = match &self.0 {
            Source::System | Source::Wrong(_) => &SYSTEM_IDS,
            Source::Fake(fake) => &fake.ids,
        };
        // A sequence is whole after every step, so a panic elsewhere cannot have spoiled it.
        ids.lock().unwrap_or_else(PoisonError::into_inner).next(millis)
    }
}

fn system_time() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(0).plus(since)
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock(system)",
            Source::Wrong(_) => "Clock(wrong)",
            Source::Fake(_) => "Clock(fake)",
        })
    }
}

/// Moves a fake clock.
#[derive(Clone)]
pub struct Hand(Arc<Fake>);

impl Hand {
    /// Lets `span` pass.
    pub fn advance(&self, span: Duration) {
        self.set(Timestamp::from_micros(self.0.micros.load(Ordering::SeqCst)).plus(span));
    }

    /// Puts the clock to a moment, earlier or later.
    pub fn set(&self, to: Timestamp) {
        self.0.micros.store(to.as_micros(), Ordering::SeqCst);
    }
}

impl fmt::Debug for Hand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hand")
    }
}

/// Bits of a UUIDv7 that are neither time nor version: 12 beside the time and 62 behind the variant.
const TAIL_BITS: u32 = 74;
const LOW_BITS: u32 = 62;

/// The last id given out, split in its time and the 74 bits behind it (RFC 9562, section 6.2, method 2).
struct Sequence {
    millis: u64,
    tail: u128,
}

impl Sequence {
    const START: Self = Self { millis: 0, tail: 0 };

    fn next(&mut self, now: u64) -> Uuid {
        if now > self.millis {
            self.millis = now;
            // The top bit starts at zero, so that a millisecond has room for 2^73 steps.
            self.tail = rand::random::<u128>() >> (128 - TAIL_BITS + 1);
        } else {
            self.tail += 1 + u128::from(rand::random::<u32>());
            if self.tail >> TAIL_BITS != 0 {
                self.millis += 1;
                self.tail = 0;
            }
        }
        let time = u128::from(self.millis & 0xffff_ffff_ffff) << 80;
        let high = (self.tail >> LOW_BITS) << 64;
        let low = self.tail & ((1 << LOW_BITS) - 1);
        Uuid::from_u128(time | (0x7 << 76) | high | (0b10 << LOW_BITS) | low)
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Sequence};
    use crate::Timestamp;
    use std::time::Duration;
    use uuid::Variant;

    #[test]
    fn ids_are_version_7_and_carry_the_clocks_milliseconds() {
        let (clock, hand) = Clock::fake(Timestamp::from_micros(1_700_000_000_123_999));
        let id = clock.new_id();
        assert_eq!((id.get_version_num(), id.get_variant()), (7, Variant::RFC4122));
        assert_eq!(id.get_timestamp().unwrap().to_unix(), (1_700_000_000, 123_000_000));
        hand.advance(Duration::from_secs(1));
        assert_eq!(clock.new_id().get_timestamp().unwrap().to_unix(), (1_700_000_001, 123_000_000));
    }

    #[test]
    fn ids_grow_within_a_millisecond_and_when_the_clock_steps_back() {
        let (clock, hand) = Clock::fake(Timestamp::from_micros(5_000_000));
        let mut last = clock.new_id();
        for step in 0..10_000 {
            if step == 5_000 {
                hand.set(Timestamp::from_micros(1_000));
            }
            let id = clock.clone().new_id();
            assert!(id > last);
            last = id;
        }
    }

    // Faults 18
    #[test]
    fn a_wrong_clock_is_the_machines_and_a_constant_and_is_not_a_fake() {
        for (seconds, hour) in [(3_600, 1.0), (-3_600, -1.0)] {
            let (wrong, right) = (Clock::wrong_by(seconds), Clock::system());
            let apart = (wrong.now().as_micros() - right.now().as_micros()) as f64 / 3.6e9;
            assert!((apart - hour).abs() < 0.1, "{apart}");
            assert!(!wrong.is_fake());
        }
    }

    #[test]
    fn ids_of_two_system_clocks_grow_together() {
        let ids: Vec<_> = (0..1_000).map(|_| Clock::system().new_id()).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn a_full_millisecond_runs_into_the_next() {
        let mut sequence = Sequence { millis: 7, tail: (1 << super::TAIL_BITS) - 1 };
        let id = sequence.next(7);
        assert_eq!((sequence.millis, sequence.tail), (8, 0));
        assert_eq!(id.get_version_num(), 7);
    }

    #[test]
    fn the_hand_moves_every_clone() {
        let (clock, hand) = Clock::fake(Timestamp::from_micros(0));
        let other = clock.clone();
        hand.advance(Duration::from_micros(3));
        assert_eq!((clock.now(), other.now()), (Timestamp::from_micros(3), Timestamp::from_micros(3)));
        assert!(clock.is_fake() && !Clock::system().is_fake());
    }
}
