//! What leaves, to where, and what may come back (faults.md row 28).

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod answers;
mod connections;
mod support;
mod tls;
mod urls;
