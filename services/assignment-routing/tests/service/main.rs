//! The service over the wire, with its own stack, on both databases; contacts and notifications are stubs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod around;
mod assigned;
mod audit;
mod blocked;
mod contact_view;
mod conversations;
mod directory;
mod erasure;
mod explained;
mod history;
mod inbox;
mod merges;
mod messages;
mod people;
mod queued;
mod stubs;
mod teams;
mod workflows;
mod world;
