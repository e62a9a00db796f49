//! A process from outside.
//!
//! | module | story |
//! |---|---|
//! | [`serving`] | what the two ports answer, and what they put up with |
//! | [`stopping`] | the orderly end |
//! | [`rotation`] | keys that change while it serves |
//! | [`encrypted`] | TLS: who is let in, and certificates that change while it serves |
//! | [`forgetting`] | what is kept for retries |
//! | [`support`] | a process that serves a stand-in, and people who call it |
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it did not expect")]

mod encrypted;
mod forgetting;
mod rotation;
mod serving;
mod stopping;
mod support;
