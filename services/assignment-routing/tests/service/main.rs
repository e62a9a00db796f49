//! The service over the wire, with its own stack, on both databases; contacts and notifications are stubs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod assigned;
mod audit;
mod contact_view;
mod conversations;
mod directory;
mod explained;
mod inbox;
mod messages;
mod people;
mod queued;
mod teams;
mod workflows;
mod world;
