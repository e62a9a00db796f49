//! From the contract's messages to ours, and back. A file for each kind of thing.

pub mod erasure;
pub mod export;
pub mod handoff;
pub mod ingest;
pub mod internal_message;
pub mod note;
pub mod search;
pub mod settings;
pub mod template;
pub mod timeline;
pub mod transfer;
pub mod watch;
