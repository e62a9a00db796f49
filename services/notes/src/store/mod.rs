//! All SQL of the service: one statement per function, on the caller's transaction.
//!
//! | file | table |
//! |---|---|
//! | [`notes`] | `notes`: the notes as they are now |
//! | [`lists`] | the same, in the order of conversations, contacts, threads |
//! | [`revisions`] | `note_revisions`: the texts that edits replaced |
//! | [`people`] | `mentioned_people`: who was told of which note as it mentions them |
//! | [`followers`] | `thread_followers`, `reply_recipients`: who was told of which note as a reply |
//! | [`templates`] | `note_templates`: texts with fields to fill in |
//! | [`internal_messages`] | `internal_messages`, their threads and people, and what each has read |
//! | [`search`] | `note_search`, `note_index`: the index of the notes' words |
//! | [`index_debts`] | `note_index_debts`: words of deleted notes that are still in SQLite's index |
//! | [`timeline`] | `notes`, `internal_messages`: in the order of a timeline |
//! | [`watch`] | `note_heads`, `note_changes`: which notes changed, in which order |
//! | [`retention`] | what is kept no longer, in most of them |
//! | [`erasure`] | what an erasure removes, in all of them |
//! | [`transfer`] | every table as lines of a file |
//! | [`settings`] | `settings`: what the organization decided |

pub mod erasure;
pub mod followers;
pub mod index_debts;
pub mod internal_messages;
pub mod lists;
pub mod notes;
pub mod people;
pub mod retention;
pub mod revisions;
pub mod search;
pub mod settings;
pub mod templates;
pub mod timeline;
pub mod transfer;
pub mod watch;
