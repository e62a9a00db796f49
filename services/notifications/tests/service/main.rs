//! The service over the wire and below it, on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod audit;
mod erasure;
mod feed;
mod history;
mod notify;
mod store;
mod subscribe;
mod support;
