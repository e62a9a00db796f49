//! From the contract's messages to ours, and back. A file for each kind of thing.

pub mod note;
