//! The use cases, one file each: what is asked of peers, then one transaction.
//!
//! | file | story |
//! |---|---|
//! | [`write_note`] | a new note: where it may be, what it says, what it replies to |
//! | [`create_note`] | the write of it: the note, its mentions, its events, all in one |
//! | `tell_followers` | whom a reply tells |
//! | [`internal_messages`] | what agents and supervisors write each other about a conversation |
//! | [`update_note`] | another text, the earlier one kept, only new people told |
//! | [`pin_note`] | pinning, and taking the pin off |
//! | [`acknowledge_note`] | handoffs that wait for somebody, and acknowledging one |
//! | [`ingest`] | notes that other services write |
//! | [`delete_note`] | for good on a contact, as the organization decided on a conversation |
//! | [`follow_merges`] | notes change hands when contacts are merged |
//! | [`export`] | the history of a conversation as a file |
//! | [`retention`] | what is kept no longer |
//! | [`merge_index`] | words of deleted notes leave SQLite's index |
//! | [`erase`] | all that is about a contact or a conversation, for good |
//! | [`settings`] | what the organization decides, and its audit trail |
//! | [`read_notes`] | one note, and the notes of a conversation or a contact page by page |
//! | [`read_thread`], [`read_revisions`] | a thread, and the texts a note had |
//! | [`timeline`] | everything around a conversation in one order |
//! | [`search`] | notes by what they say |
//! | [`watch`] | the changes of a conversation's or a contact's notes, live |
//! | [`templates`] | texts with fields to fill in |
//! | [`transfer`] | everything as a file, and back |

pub mod acknowledge_note;
pub mod create_note;
pub mod delete_note;
pub mod erase;
pub mod export;
pub mod follow_merges;
pub mod ingest;
pub mod internal_messages;
pub mod merge_index;
pub mod pin_note;
pub mod read_notes;
pub mod read_revisions;
pub mod read_thread;
pub mod retention;
pub mod search;
pub mod settings;
mod tell_followers;
pub mod templates;
pub mod timeline;
pub mod transfer;
pub mod update_note;
pub mod watch;
pub mod write_note;

use std::sync::Arc;

use announce::Announcer;
use db::Db;
use kernel::{Clock, PageSeal};
use merges::Follower;
use outbox::{Outbox, Wake};
use rpc::stream::Listeners;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::domain::watch::Watched;
use crate::peers::Peers;

pub use create_note::{Draft, NewNote};
pub use delete_note::Deletion;
pub use read_notes::{Page, PageRequest};
pub use templates::TemplateChange;
pub use update_note::Edit;
pub use write_note::{NewHandoff, On, Text, Writing};

/// What every use case works with.
#[derive(Clone)]
pub struct App {
    /// The notes.
    pub db: Db,
    /// Lets notes follow merges of contacts.
    pub follower: Follower,
    /// Time and ids.
    pub clock: Clock,
    /// Seals page tokens.
    pub seal: PageSeal,
    /// Events to others.
    pub outbox: Outbox,
    /// Events for webhooks.
    pub announcer: Announcer,
    /// Questions to others.
    pub peers: Peers,
    /// Wakes streams, here and in other processes.
    pub wake: Wake,
    /// The streams of this process.
    pub listeners: Listeners<Watched>,
    /// Cancelled when streams shall end.
    pub streams_end: CancellationToken,
    /// Who makes a PDF holds one.
    pub pdf_seats: Arc<Semaphore>,
}
