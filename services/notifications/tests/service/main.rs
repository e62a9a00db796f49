//! The service over the wire and below it, on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod audit;
mod deliveries;
mod devices;
mod email;
mod erasure;
mod feed;
mod history;
mod locks;
mod nats;
mod notify;
mod preferences;
mod publish;
mod push;
mod read_state;
mod retention;
mod store;
mod subscribe;
mod support;
mod webhooks;
