//! A queue's turn: decides for many waiting conversations at once, purely, so that one lock and one commit serve them
//! all (R11).

mod desk;

use std::collections::BTreeMap;

use kernel::{AgentId, ContactId, ConversationId, DecisionId, Timestamp, WorkflowId};

use super::choose::Rotation;
use super::decision::Decision;
use super::load::Load;
use super::offer::{Offer, Refusal};
use super::sharing::{Demand, Sharing};
use super::workflow::Trace;

pub use desk::Desk;

/// A conversation that waits for an agent of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its version when it was read: it must still have it when it is assigned.
    pub version: i64,
    /// When the latest entry of its history was written.
    pub last_entry_time: Timestamp,
    /// Whose it is.
    pub contact: ContactId,
    /// What it costs.
    pub units: i64,
    /// How the team shares it.
    pub sharing: Sharing,
    /// Since when it waits.
    pub queue_time: Timestamp,
    /// The workflow that chose the team; `None`: a person did, or it was opened again.
    pub workflow: Option<WorkflowId>,
    /// The workflows that were looked at.
    pub traces: Vec<Trace>,
    /// Whether it is stored already that nobody could take it.
    pub explained: bool,
    /// Who refused it since it waits, where the team asks first.
    pub refusals: Vec<Refusal>,
}

impl Waiting {
    /// What it asks of whoever takes it now.
    #[must_use]
    pub fn demand(&self, now: Timestamp) -> Demand {
        self.sharing.demand(self.units, now.since(self.queue_time))
    }
}

/// A conversation that got its agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// The conversation.
    pub conversation: ConversationId,
    /// The version it was read with.
    pub version: i64,
    /// Who gets it.
    pub agent: AgentId,
    /// The decision that says why.
    pub decision: DecisionId,
    /// When its history says that it was.
    pub time: Timestamp,
}

/// What an agent got of a batch, or was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gift {
    /// How much.
    pub load: Load,
    /// Units they may have open with it; 0: no limit.
    pub capacity: i64,
    /// When they got the last of it.
    pub last: Timestamp,
    /// Since when they are there.
    pub came_online: Timestamp,
}

/// What became of a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Those that got an agent.
    pub given: Vec<Given>,
    /// Those that an agent is asked about.
    pub offered: Vec<Offer>,
    /// Those that everybody had refused: they are asked once more.
    pub anew: Vec<ConversationId>,
    /// Those of which it is to be stored that they wait.
    pub waiting: Vec<ConversationId>,
    /// Why, for both.
    pub decisions: Vec<Decision>,
    /// How much each agent got, or was offered.
    pub gifts: BTreeMap<AgentId, Gift>,
    /// Whose turn it was last.
    pub rotation: Rotation,
}

/// Candidates stored by one batch, at most: each of its decisions names every member of the team.
const CANDIDATES: usize = 20_000;

/// How many conversations are decided at once for a team of so many members: at least one.
#[must_use]
pub fn fitting(at_most: usize, members: usize) -> usize {
    at_most.min(CANDIDATES / members.max(1)).max(1)
}

#[cfg(test)]
mod tests;
