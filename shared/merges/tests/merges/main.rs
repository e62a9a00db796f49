//! Rows that follow merges of contacts, on both databases.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod follows;
mod returns;
mod things;
