//! What a user sees of all services together, on both databases, in one process and as four.
//!
//! | module | story |
//! |---|---|
//! | [`day`] | a customer's message becomes somebody's work, and a colleague is told |
//! | [`block`] | a customer who is blocked writes on, and nobody is called for it |
//! | [`panel`] | what three services know of a customer, and what is left of it while one is away |
//! | [`contact_notes`] | what a colleague wrote on a customer is there in the next conversation with them |
//! | [`help_desk`] | a help desk keeps its customers and notes here, and finds them again |
//! | [`merge`] | two customers turn out to be one person, and then not |
//! | [`internal_messages`] | a supervisor corrects an agent, the agent calls one, and nobody else learns of it |
//! | [`timeline`] | everything around a conversation, as its people see it, and how it is handed over |
//! | [`handoff`] | a conversation is given away with what the next one has to know |
//! | [`encrypted`] | the same day, where nobody may listen in and nobody else may call |
//! | [`emails`] | a mention reaches its reader's mailbox, and the note stays where it is |
//! | [`preferences`] | an agent mutes a conversation, and is told why they heard of nothing but in the feed |
//! | [`webhooks`] | what happens in all services reaches the webhooks that want to know |
//! | [`streams`] | cut, stalled and expired streams, as many as the fault table says |
//! | [`workflows`] | what a workflow does in the other services |
//! | [`exports`] | later the whole exchange is read in the history, and taken along as a file by those who may |
//! | [`privacy`] | no path leads a note to a contact |
//! | [`access`] | every RPC, every role, against the reviewed table |
//! | [`audit`] | a day of work leaves exactly its records, for the organization's admins only |
//! | [`tenancy`] | another organization's ids are as if they did not exist |
//! | [`commands`] | what a person at a terminal is told when it cannot be done |
//! | [`backups`] | what was saved is served again, elsewhere |
//! | [`doctor`] | what whoever deploys it does before the first call, and is told |
//! | [`imports`] | contacts come from a spreadsheet's file and go to another organization |
//! | [`replays`] | recorded messages, replayed again and over a restart |
//! | [`retries`] | a repeated request has one effect |
//! | [`cancels`] | a client that goes away loses nothing and leaves nothing behind |
//! | [`erasure`] | of an erased person nothing is left in any service |
//! | [`kills`] | a killed process loses nothing it has acknowledged |
//! | [`power`] | whenever the power goes, what was acknowledged is on the disk |
//! | [`assigners`] | several processes give out the same work, whatever becomes of one of them |
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
mod assigners;
mod audit;
mod backups;
mod block;
mod cancels;
mod cast;
mod commands;
mod contact_notes;
mod day;
mod doctor;
mod emails;
mod encrypted;
mod erasure;
mod exports;
mod handoff;
mod help_desk;
mod hostile;
mod imports;
mod internal_messages;
mod kills;
mod merge;
mod operations;
mod panel;
mod power;
mod preferences;
mod privacy;
mod processes;
mod raw;
mod replays;
mod reports;
mod retries;
mod rooms;
mod streams;
mod tenancy;
mod timeline;
mod traces;
mod webhooks;
mod workflows;
mod world;
