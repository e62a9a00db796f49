//! What every store function promises, on both databases, and what holds when many assign at once.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod attention;
mod conversations;
mod crowded;
mod demands;
mod explained;
mod fixtures;
mod inbox_log;
mod model;
mod offers;
mod people;
mod queue;
mod races;
mod reports;
mod sweeps;
mod teams;
mod timers;
