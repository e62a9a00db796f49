//! The use cases, one file each. Each begins and ends its own transaction.
//!
//! | file | use case |
//! |---|---|
//! | [`notify`] | events become entries in feeds |
//! | [`list`] | a page of a feed |
//! | [`count`] | how much is unread |
//! | [`mark_read`] | some or all entries are read |
//! | [`handle`] | archive, snooze |
//! | [`subscribe`] | a feed, live |
//! | [`forget`] | retention |
//! | [`erase`] | conversations are erased |

pub mod count;
pub mod erase;
pub mod forget;
pub mod handle;
pub mod list;
pub mod mark_read;
pub mod notify;
pub mod subscribe;

use db::Db;
use kernel::{Clock, OrgId, PageSeal, Subject};
use outbox::Wake;
use rpc::stream::Listeners;
use runtime::AuditTrail;
use tokio_util::sync::CancellationToken;

use crate::NAME;

/// The topic of wake-ups about feeds; the key is the subject.
pub const FEED_TOPIC: &str = "feed";

/// What the use cases work with.
#[derive(Debug)]
pub struct App {
    /// The feeds.
    pub db: Db,
    /// Time and ids.
    pub clock: Clock,
    /// Seals page and resume tokens.
    pub seal: PageSeal,
    /// Wakes streams, here and in other processes.
    pub wake: Wake,
    /// The streams of this process.
    pub listeners: Listeners<Owner>,
    /// Cancelled when streams shall end.
    pub streams_end: CancellationToken,
}

impl App {
    /// What was done in this service, for admins.
    pub fn audit_trail(&self) -> AuditTrail {
        AuditTrail::new(NAME, self.db.clone(), self.seal.clone())
    }
}

/// Whose feed: always the caller's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The organization.
    pub org: OrgId,
    /// The person.
    pub subject: Subject,
}

impl Owner {
    /// What a token of this person's feed is bound to. An organization's name has no slash, so no two are the same.
    fn binding(&self, rest: &str) -> Vec<u8> {
        format!("{}/{}/{}/{rest}", self.org, self.subject.as_str().len(), self.subject).into_bytes()
    }
}
