//! From the contract's messages to ours, and back. A file for each kind of thing.

pub mod internal_message;
pub mod note;
pub mod search;
pub mod settings;
pub mod template;
pub mod watch;
