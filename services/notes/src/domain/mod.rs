//! What a note is and who is told of it: pure decisions, no database and no peer.
//!
//! | file | story |
//! |---|---|
//! | [`note`] | [`Note`], its [`Body`] and its [`Author`]; who may edit it |
//! | [`handle`] | [`handles_in`]: the names after `@` in a text |
//! | [`mention`] | [`decide`]: what becomes of each mention, and whom it tells |

pub mod handle;
pub mod mention;
pub mod note;

pub use handle::{Handle, MOST_HANDLES, handles_in};
pub use mention::{Decision, Directory, Kind, Mention, Outcome, Refusal, Resolved, decide};
pub use note::{Author, Body, Note, Receipt};
