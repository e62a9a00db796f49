//! What a note is and who is told of it: pure decisions, no database and no peer.
//!
//! | file | story |
//! |---|---|
//! | [`note`] | [`Note`], its [`Body`] and its [`Author`]; who may change it, who reads it |
//! | [`revision`] | [`Revision`]: one of the texts a note had |
//! | [`handoff`] | [`Handoff`]: what makes a note one, and its acknowledgement |
//! | [`place`] | [`Place`]: the conversation or the contact a note is on |
//! | [`thread`] | [`Reply`], and who is told of one |
//! | [`template`] | [`Template`]: a text with fields to fill in |
//! | [`handle`] | [`handles_in`]: the names after `@` in a text |
//! | [`internal_message`] | what agents and supervisors write each other, and who sees it |
//! | [`internal_address`] | [`address`](internal_address::address): for whom an internal message is |
//! | [`mention`] | [`decide`]: what becomes of each mention, and whom it tells |
//! | [`search`] | words, queries and snippets: full-text search as far as no database decides it |
//! | [`timeline`] | the order of everything around a conversation, and its pages |
//! | [`transfer`] | everything as lines of a file, and back |
//! | [`watch`] | the order of changes that somebody follows |
//! | [`excerpt`] | the beginning of a note, for emails about it |
//! | [`export`] | the history of a conversation as a file |
//! | [`settings`] | [`Settings`]: what an organization decides, and the defaults |

pub mod excerpt;
pub mod export;
pub mod handle;
pub mod handoff;
pub mod internal_address;
pub mod internal_message;
pub mod mention;
pub mod note;
pub mod place;
pub mod revision;
pub mod search;
pub mod settings;
pub mod template;
pub mod thread;
pub mod timeline;
#[cfg(test)]
mod timeline_tests;
pub mod transfer;
pub mod watch;

pub use handle::{Handle, MOST_HANDLES, handles_in};
pub use handoff::{Acknowledgement, Handoff, HandoffTexts, NotAcknowledged, Urgency};
pub use mention::{Decision, Directory, Kind, Mention, Outcome, Refusal, Resolved, decide};
pub use note::{Author, Body, Mark, Note, Receipt};
pub use place::{NoteKind, Place};
pub use revision::Revision;
pub use settings::{ConversationNoteDeletion, Decided, Retention, Settings, SettingsChange};
pub use template::{
    Field, Filling, Misfit, Template, TemplateId, TemplateText, Unfilled, Value, template_name,
};
pub use thread::{NoReply, Reply, told_of_reply};
