//! What a user sees of all services together, on both databases, in one process and as four.
//!
//! | module | story |
//! |---|---|
//! | [`day`] | a customer's message becomes somebody's work, and a colleague is told |
//! | [`contact_notes`] | what a colleague wrote on a customer is there in the next conversation with them |
//! | [`internal_messages`] | a supervisor corrects an agent, the agent calls one, and nobody else learns of it |
//! | [`privacy`] | no path leads a note to a contact |
//! | [`access`] | every RPC, every role, against the reviewed table |
//! | [`audit`] | a day of work leaves exactly its records, for the organization's admins only |
//! | [`tenancy`] | another organization's ids are as if they did not exist |
//! | [`replays`] | recorded messages, replayed again and over a restart |
//! | [`retries`] | a repeated request has one effect |
//! | [`cancels`] | a client that goes away loses nothing and leaves nothing behind |
//! | [`kills`] | a killed process loses nothing it has acknowledged |
//! | [`hostile`] | bytes that are no request are refused as such, and end nothing |
//! | [`operations`] | health, reflection, gRPC-Web, metrics, logs |
//! | [`traces`] | one request is one trace, across processes and the outbox, without content |
//! | [`rooms`] | the services look alike, and import only what they may |
//!
//! [`world`] is where they take place, [`processes`] starts real processes, [`cast`] are the people, [`raw`] calls any RPC
//! by its descriptor.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod access;
mod audit;
mod cancels;
mod cast;
mod contact_notes;
mod day;
mod hostile;
mod internal_messages;
mod kills;
mod operations;
mod privacy;
mod processes;
mod raw;
mod replays;
mod retries;
mod rooms;
mod tenancy;
mod traces;
mod world;
