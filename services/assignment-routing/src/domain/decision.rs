//! Why somebody has a conversation, or nobody (R15): stored with every assignment, read by people.

mod summary;

use std::time::Duration;

use kernel::{AgentId, ConversationId, DecisionId, TeamId, Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};

use super::agent::Skill;
use super::choose::Candidate;
use super::conversation::Conversation;
use super::offer::{Offer, OfferId};
use super::reopen::Requeued;
use super::reply_limit::said;
use super::sharing::{Relaxation, Strategy};
use super::workflow::Trace;

/// What led to a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cause {
    /// A workflow put the conversation into a queue.
    Workflow,
    /// A person decided.
    Manual,
    /// It had waited in the queue.
    Queue,
    /// The contact was blocked when they began the conversation.
    BlockedContact,
    /// The agent accepted an offer.
    Offer,
    /// Who had it was offline for too long while the customer waited.
    AgentOffline,
    /// Who had it left the waiting customer without a reply for too long.
    NoReply,
}

/// What a decision came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// An agent has it.
    Assigned,
    /// Nobody could take it: it waits.
    Queued,
    /// No workflow gave it to a team.
    Unrouted,
    /// A person took it from its assignee.
    Unassigned,
    /// Nobody was called: it was resolved as soon as it began.
    Resolved,
    /// Workflows ran, and who has it stayed as it was.
    Unchanged,
    /// An agent is asked whether they take it.
    Offered,
}

/// Who had it while the customer waited for an answer, and for how long that was looked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Who had it.
    pub holder: AgentId,
    /// The organization's grace, or the team's limit.
    pub after: Duration,
}

impl Left {
    fn summary(self, holder: &str, cause: Cause, outcome: Outcome) -> String {
        let after = said(self.after);
        let did = match cause {
            Cause::AgentOffline => format!("{holder} was offline for {after} while the customer waited"),
            _ => format!("{holder} left the customer without a reply for {after}"),
        };
        let then = match outcome {
            Outcome::Queued => {
                "it went back to the queue of its team, where it keeps the time since when it waits"
            }
            Outcome::Unassigned => "nobody has it, as it belongs to no team",
            _ => "it stayed with them, and supervisors were told",
        };
        format!("{did}: {then}.")
    }
}

/// One decision, as it is stored. Names are looked up when it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The decision.
    pub id: DecisionId,
    /// The conversation.
    pub conversation: ConversationId,
    /// When it was made.
    pub decide_time: Timestamp,
    /// What led to it.
    pub cause: Cause,
    /// What it came to.
    pub outcome: Outcome,
    /// Who got it, or is asked.
    pub chosen: Option<AgentId>,
    /// The team whose turn it was.
    pub team: Option<TeamId>,
    /// How the team shares work.
    pub strategy: Option<Strategy>,
    /// The workflow that chose the team.
    pub workflow: Option<WorkflowId>,
    /// The workflows that were looked at.
    pub workflows: Vec<Trace>,
    /// The agents that were looked at, in the order of their turns.
    pub candidates: Vec<Candidate>,
    /// Who decided, where a person did.
    pub decided_by: Option<AgentId>,
    /// What the conversation costs.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub units: i64,
    /// The skills that were required, with their least levels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_skills: Vec<Skill>,
    /// What of them was no longer asked for.
    #[serde(default, skip_serializing_if = "Relaxation::is_nothing")]
    pub relaxation: Relaxation,
    /// Who last had a conversation of the contact, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_agent: Option<AgentId>,
    /// Whether a person gave somebody more than their capacity.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over_capacity: bool,
    /// Whether a person escalated it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub escalated: bool,
    /// Who had it until it was opened again, and the policy by which it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requeued: Option<Requeued>,
    /// Who had it and left the customer waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
    /// The offer that was made, or accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
}

/// What conversations cost before there were units, and most do.
fn one() -> i64 {
    1
}

fn is_one(number: &i64) -> bool {
    *number == 1
}

impl Decision {
    /// What a person decided.
    #[must_use]
    pub fn manual(
        id: DecisionId,
        conversation: ConversationId,
        now: Timestamp,
        by: AgentId,
        outcome: Outcome,
    ) -> Self {
        Self { decided_by: Some(by), ..Self::without_agent(id, conversation, now, Cause::Manual, outcome) }
    }

    /// No workflow gave a new conversation to a team.
    #[must_use]
    pub fn unrouted(
        id: DecisionId,
        conversation: ConversationId,
        now: Timestamp,
        workflows: Vec<Trace>,
    ) -> Self {
        Self { workflows, ..Self::without_agent(id, conversation, now, Cause::Workflow, Outcome::Unrouted) }
    }

    /// Nobody was called for a new conversation, as its contact is blocked.
    #[must_use]
    pub fn unheard(id: DecisionId, conversation: ConversationId, now: Timestamp) -> Self {
        Self::without_agent(id, conversation, now, Cause::BlockedContact, Outcome::Resolved)
    }

    /// A decision for which no agent was looked at.
    fn without_agent(
        id: DecisionId,
        conversation: ConversationId,
        now: Timestamp,
        cause: Cause,
        outcome: Outcome,
    ) -> Self {
        Self {
            id,
            conversation,
            decide_time: now,
            cause,
            outcome,
            chosen: None,
            team: None,
            strategy: None,
            workflow: None,
            workflows: Vec::new(),
            candidates: Vec::new(),
            decided_by: None,
            units: 1,
            required_skills: Vec::new(),
            relaxation: Relaxation::Nothing,
            last_agent: None,
            over_capacity: false,
            escalated: false,
            requeued: None,
            offer: None,
            left: None,
        }
    }

    /// An agent accepted an offer.
    #[must_use]
    pub fn accepted(id: DecisionId, offer: &Offer, now: Timestamp) -> Self {
        Self {
            chosen: Some(offer.agent),
            team: Some(offer.team),
            decided_by: Some(offer.agent),
            units: offer.units,
            offer: Some(offer.id),
            ..Self::without_agent(id, offer.conversation, now, Cause::Offer, Outcome::Assigned)
        }
    }

    /// A conversation that somebody had waits again, now that it is open again.
    #[must_use]
    pub fn requeued(id: DecisionId, it: &Conversation, requeued: Requeued, now: Timestamp) -> Self {
        Self {
            cause: Cause::Queue,
            outcome: Outcome::Queued,
            team: it.team,
            units: it.units,
            requeued: Some(requeued),
            ..Self::unrouted(id, it.id, now, Vec::new())
        }
    }

    /// Whoever had it left the customer waiting, so that it is taken from them, or others are told of it.
    #[must_use]
    pub fn left(
        id: DecisionId,
        it: &Conversation,
        now: Timestamp,
        cause: Cause,
        outcome: Outcome,
        left: Left,
    ) -> Self {
        Self {
            team: it.team,
            units: it.units,
            left: Some(left),
            ..Self::without_agent(id, it.id, now, cause, outcome)
        }
    }

    /// Everybody it speaks of.
    pub fn people(&self) -> impl Iterator<Item = AgentId> + '_ {
        let holder = self.requeued.map(|requeued| requeued.holder);
        let candidates = self.candidates.iter().map(|candidate| candidate.agent);
        let left = self.left.map(|left| left.holder);
        candidates.chain(self.chosen).chain(self.decided_by).chain(holder).chain(left)
    }
}

#[cfg(test)]
mod tests;
