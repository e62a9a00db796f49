//! The use cases, one file each. Each begins and ends its own transaction.
//!
//! | file | use case |
//! |---|---|
//! | [`notify`] | events become entries in feeds |
//! | [`list`] | a page of a feed |
//! | [`count`] | how much is unread |
//! | [`mark_read`] | some or all entries are read |
//! | [`handle`] | archive, snooze |
//! | `read_state` | what one device does, the others learn |
//! | [`subscribe`] | a feed, live |
//! | [`forget`] | retention |
//! | [`settings`] | what the organization decides |
//! | [`excerpts`] | what emails hold of notes |
//! | `email` | an email is due |
//! | [`unsubscribe`] | one click turns email off |
//! | [`publish`] | what happened elsewhere goes to webhooks |
//! | [`webhooks`] | URLs that are told what happens |
//! | [`erase`] | conversations are erased |
//! | [`enqueue`] | deliveries enter the queue |
//! | [`deliver`] | what carries them |
//! | [`dispatch`] | the queue of one channel: claim, carry, mark |
//! | [`claim`] | deliveries that are due are claimed, fairly |
//! | [`settle`] | what became of one is written down |
//! | [`deliveries`] | for admins: list, read, try again |
//! | [`preferences`] | who wants to hear what |
//! | [`mutes`] | conversations of which people hear in their feed only |
//! | [`plan`] | what is told outside of feeds |
//! | [`people`] | who the people are: asked of routing |
//! | [`compose`] | what an email or a push tells when it is due |
//! | [`explain`] | why somebody was, or was not, told something |
//! | [`devices`] | devices of a person |
//! | [`push`] | a push is due |
//! | [`forget_deliveries`] | their retention |

pub mod claim;
pub mod compose;
pub mod count;
pub mod deliver;
pub mod deliveries;
pub mod devices;
pub mod dispatch;
pub(crate) mod email;
pub mod enqueue;
pub mod erase;
pub mod excerpts;
pub mod explain;
pub mod forget;
pub mod forget_deliveries;
pub mod handle;
pub mod list;
pub mod mark_read;
pub mod mutes;
pub mod notify;
pub mod people;
pub mod plan;
pub mod preferences;
pub mod publish;
pub mod push;
pub(crate) mod read_state;
pub mod settings;
pub mod settle;
pub mod subscribe;
pub mod unsubscribe;
pub mod webhooks;

use db::Db;
use egress::Egress;
use kernel::{Clock, OrgId, PageSeal, Subject};
use outbox::Wake;
use rpc::stream::Listeners;
use runtime::AuditTrail;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::NAME;
use crate::domain::settings::Retention;
use crate::peers::admins::Admins;
use crate::peers::push::PushServices;

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
    /// How long notifications are kept where an organization did not decide otherwise.
    pub retention: Retention,
    /// Who the people are.
    pub people: people::People,
    /// What pushes are sent with.
    pub push_services: PushServices,
    /// Calls webhooks.
    pub egress: Egress,
    /// Who is told that a webhook was disabled.
    pub admins: Admins,
    /// Rings when there is a webhook to tell of.
    pub webhook_notices: Notify,
    /// Whether emails are sent at all.
    pub sends_email: bool,
    /// Which organizations want excerpts in their emails.
    pub wanting_excerpts: excerpts::Wanting,
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
