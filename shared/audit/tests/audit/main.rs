//! The audit trail on both databases: what is recorded, how it is sealed, and what shows when somebody changes it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod chain;
mod lists;
mod seals;
mod support;
