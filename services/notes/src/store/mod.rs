//! All SQL of the service: one statement per function, on the caller's transaction.
//!
//! | file | table |
//! |---|---|
//! | [`notes`] | `notes`: the notes as they are now |
//! | [`revisions`] | `note_revisions`: the texts that edits replaced |
//! | [`people`] | `mentioned_people`: who was told of which note |

pub mod notes;
pub mod people;
pub mod revisions;
