//! The service over the wire, with its own stack, on both databases; contacts and notifications are stubs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

/// Parts that need no service around them, with the tests that stand beside their code.
mod app;
#[expect(dead_code, unreachable_pub, reason = "only its own tests use it here")]
#[path = "../../src/domain/mod.rs"]
mod domain;

mod around;
mod assigned;
mod audit;
mod blocked;
mod bulk;
mod business_hours;
mod capacity;
mod contact_view;
mod conversations;
mod directory;
mod erasure;
mod escalations;
mod explained;
mod handoffs;
mod history;
mod inbox;
mod inbox_mirror;
mod inbox_watch;
mod merges;
mod messages;
mod notes_stub;
mod offers;
mod people;
mod presence;
mod queued;
mod reopened;
mod reports;
mod settings;
mod simulation;
mod sla;
mod sla_policies;
mod strategies;
mod stubs;
mod teams;
mod timed_workflows;
mod unanswered;
mod workflow_actions;
mod workflow_races;
mod workflow_triggers;
mod workflows;
mod world;
