//! The outbox from outside.
//!
//! | module | story |
//! |---|---|
//! | [`delivery`] | what is delivered, when, and in which order |
//! | [`crashes`] | exactly once in effect, whatever happens to a relay |
//! | [`traces`] | a request's trace goes on where its events are delivered |
//! | [`wake`] | hints inside a process and between processes |
//! | [`support`] | a consumer to play with, and a relay that is impatient |
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod crashes;
mod delivery;
mod support;
mod traces;
mod wake;
