//! Internal messages: read by nothing that reads notes.
//!
//! | file | table |
//! |---|---|
//! | [`conversations`] | `internal_conversations`: the time of the latest message, and the lock of writers |
//! | [`threads`] | `internal_threads`: one for each agent on a conversation |
//! | [`people`] | `internal_people`: who is in a thread, and what they have read |
//! | [`messages`] | `internal_messages`: rows are only ever added |

pub mod conversations;
pub mod messages;
pub mod people;
pub mod threads;
