//! Time zones: what clocks and calendars show somewhere.
//!
//! The database of zones is part of the program: the same name means the same rules wherever it runs.

mod calendar;
mod clock;
mod zone;

pub use calendar::Day;
pub use clock::{LocalTime, WallClock, instant, rfc3339};
pub use zone::Zone;
