//! The use cases, one file each: what is asked of peers, then one transaction.
//!
//! | file | story |
//! |---|---|
//! | [`create_note`] | a new note: its mentions, its events, all in one write |
//! | [`update_note`] | another text, the earlier one kept, only new people told |
//! | [`read_notes`] | one note, and the notes of a conversation page by page |

pub mod create_note;
pub mod read_notes;
pub mod update_note;

use db::Db;
use kernel::{Clock, PageSeal};
use outbox::Outbox;

use crate::peers::Peers;

pub use create_note::{Draft, NewNote};
pub use read_notes::{Page, PageRequest};
pub use update_note::Edit;

/// What every use case works with.
#[derive(Clone)]
pub struct App {
    /// The notes.
    pub db: Db,
    /// Time and ids.
    pub clock: Clock,
    /// Seals page tokens.
    pub seal: PageSeal,
    /// Events to others.
    pub outbox: Outbox,
    /// Questions to others.
    pub peers: Peers,
}
