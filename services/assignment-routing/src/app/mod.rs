//! Use cases, a file each. A transaction begins and ends here, and no peer is asked inside one.
//!
//! | file | use cases |
//! |---|---|
//! | [`first_sight`], [`agents`], [`availability`] | profiles, made by an admin or from a token; who is there |
//! | [`teams`], [`members`], [`directory`], [`search_people`] | teams, what `@` resolves, finding people by name |
//! | [`workflows`], [`rulesets`] | workflows, and their compiled sets |
//! | [`record_message`], `begin_conversation` | messages in and out; what workflows make of a new conversation |
//! | [`inbox`], [`update_conversation`], [`status`] | reading and changing conversations |
//! | [`history`] | what was said and what happened, in the order of time |
//! | [`assigner`], [`assign`], [`explain`] | who gets a conversation: by itself, by hand, and why |
//! | [`apply_events`] | what notes tells us |
//! | [`erase`] | a contact is erased |
//! | [`sight`] | what a caller may see |

pub mod agents;
pub mod apply_events;
pub mod assign;
pub mod assigner;
pub mod availability;
mod begin_conversation;
pub mod directory;
pub mod erase;
pub mod explain;
pub mod first_sight;
pub mod history;
pub mod inbox;
pub mod members;
pub mod record_message;
pub mod rulesets;
pub mod search_people;
pub mod sight;
pub mod status;
pub mod teams;
pub mod update_conversation;
pub mod workflows;

use db::{Db, Gather, Tx};
use kernel::{Clock, ConversationId, PageSeal, TeamId};
use merges::Follower;
use outbox::{Outbox, Wake};
use rpc::Peer;
use runtime::AuditTrail;

use crate::NAME;
use crate::config::RoutingConfig;
use crate::domain::conversation::Conversation;
use crate::error::Error;
use rulesets::Rulesets;

/// Wake-ups: a team's queue may have work, or somebody to do it. The key is the team.
pub const QUEUE: &str = "routing-queue";

/// What use cases need. Cheap to clone: all parts are shared.
#[derive(Clone)]
pub struct App {
    /// The service's database.
    pub db: Db,
    /// Single conversations, for many callers at a time: every service asks for them.
    pub conversations: Gather<ConversationId, Conversation>,
    /// Lets conversations follow merges of contacts.
    pub follower: Follower,
    /// Time and ids.
    pub clock: Clock,
    /// Seals page tokens.
    pub seal: PageSeal,
    /// Events for notifications.
    pub outbox: Outbox,
    /// Wake-ups.
    pub wake: Wake,
    /// The contacts service.
    pub contacts: Peer,
    /// The service's settings.
    pub settings: RoutingConfig,
    /// Compiled workflows.
    pub rulesets: Rulesets,
}

impl App {
    /// What was done in this service, for admins.
    #[must_use]
    pub fn audit_trail(&self) -> AuditTrail {
        AuditTrail::new(NAME, self.db.clone(), self.seal.clone())
    }

    /// Wakes whoever serves the team's queue, once the transaction is durable.
    fn ring(&self, tx: &mut Tx, team: TeamId) {
        let Some(org) = tx.org().cloned() else { return };
        let wake = self.wake.clone();
        tx.after_commit(move || wake.publish(QUEUE, &org, &team.to_string()));
    }
}

/// Refuses a change of something that changed since the caller read it. `expected` is none if they do not care.
fn check_version(expected: Option<i64>, version: i64) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != version => Err(Error::Stale { version }),
        _ => Ok(()),
    }
}
