//! The `backchannel` binary, built for the tests that start and kill processes.
//!
//! Unlike the one that is released it may be told a wrong time: `BACKCHANNEL_TEST_CLOCK_OFF` is by how many seconds the clock of
//! what it serves is ahead, or behind where negative.

use kernel::Clock;

fn main() -> std::process::ExitCode {
    let off = std::env::var("BACKCHANNEL_TEST_CLOCK_OFF").ok().and_then(|off| off.parse().ok());
    suite::main_by(off.map_or_else(Clock::system, Clock::wrong_by))
}
