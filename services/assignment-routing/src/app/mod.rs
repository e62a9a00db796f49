//! Use cases, a file each. A transaction begins and ends here, and no peer is asked inside one.
//!
//! | file | use cases |
//! |---|---|
//! | [`first_sight`], [`agents`], [`availability`] | profiles, made by an admin or from a token; who is there |
//! | [`teams`], [`members`], [`directory`], [`search_people`] | teams, what `@` resolves, finding people by name |
//! | [`workflows`], [`rulesets`], [`simulate`] | workflows, their compiled sets, what a draft of them would have done |
//! | [`business_hours`] | when teams work |
//! | [`record_message`], `begin_conversation` | messages in and out; what workflows make of a new conversation |
//! | `workflow_runs`, [`prepared`] | what workflows make of a conversation later on, and what has to be at hand for that |
//! | [`inbox`], [`update_conversation`], [`status`], [`reopen`] | reading and changing conversations |
//! | `remember` | what happened goes into the history, and to webhooks |
//! | [`effects`], [`bulk`] | what a change does, written with few statements; the same for many conversations |
//! | [`history`] | what was said and what happened, in the order of time |
//! | [`assigner`], [`assign`], [`handover`], [`explain`] | who gets a conversation: by itself, by hand, and why |
//! | `waits`, [`timers`], `timed_workflows`, `reply_limit`, `grace`, `left_waiting` | what happens after a while: workflows, and nobody is forgotten |
//! | `offers`, [`offer_answers`], `missed_offers` | who is asked before they get a conversation, and what they say |
//! | [`sla_policies`], `sla`, [`sla_reports`] | targets; who is warned, and told what was missed; how conversations stand |
//! | [`watch`] | the inbox as a stream |
//! | [`watch_presence`], [`presence_board`] | who is at a conversation at this moment |
//! | [`reports`], [`report_counter`] | how much people and teams did |
//! | [`apply_events`] | what notes tells us |
//! | [`erase`] | a contact is erased |
//! | [`sight`] | what a caller may see |

pub mod agents;
pub mod apply_events;
pub mod assign;
pub mod assigner;
pub mod availability;
mod begin_conversation;
pub mod bulk;
pub mod business_hours;
pub mod directory;
pub mod effects;
pub mod erase;
pub mod explain;
pub mod first_sight;
mod grace;
pub mod handover;
pub mod history;
pub mod inbox;
mod left_waiting;
pub mod members;
mod missed_offers;
pub mod offer_answers;
mod offers;
pub mod prepared;
pub mod presence_board;
mod queue_depth;
pub mod record_message;
mod remember;
pub mod reopen;
mod reply_limit;
pub mod report_counter;
pub mod reports;
mod room;
pub mod rulesets;
pub mod search_people;
pub mod settings;
pub mod sight;
pub mod simulate;
mod sla;
pub mod sla_policies;
pub mod sla_reports;
pub mod status;
pub mod teams;
mod timed_workflows;
pub mod timers;
pub mod update_conversation;
mod waits;
pub mod watch;
pub mod watch_presence;
mod workflow_runs;
pub mod workflows;

use std::sync::Arc;

use announce::Announcer;
use db::{Db, Gather, Tx};
use kernel::{Clock, ConversationId, PageSeal, TeamId};
use merges::Follower;
use outbox::{Outbox, Wake};
use rpc::Peer;
use runtime::AuditTrail;
use tokio_util::sync::CancellationToken;

use crate::NAME;
use crate::config::RoutingConfig;
use crate::domain::conversation::Conversation;
use crate::error::Error;
use presence_board::PresenceBoard;
use rulesets::Rulesets;
use watch::hub::Hubs;

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
    /// Events for webhooks.
    pub announcer: Announcer,
    /// Wake-ups.
    pub wake: Wake,
    /// The contacts service.
    pub contacts: Peer,
    /// The service's settings.
    pub settings: RoutingConfig,
    /// Compiled workflows.
    pub rulesets: Rulesets,
    /// What changes in inboxes, for their streams.
    pub hubs: Arc<Hubs>,
    /// Who is at which conversation.
    pub presence: Arc<PresenceBoard>,
    /// Asked to end, streams end with the last frame that says so.
    pub streams_end: CancellationToken,
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
