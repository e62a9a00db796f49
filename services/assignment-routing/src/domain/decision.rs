//! Why somebody has a conversation, or nobody (R15): stored with every assignment, read by people.

use kernel::{AgentId, ConversationId, DecisionId, TeamId, Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};

use super::agent::Skill;
use super::choose::{Candidate, Exclusion};
use super::conversation::Conversation;
use super::reopen::{ReopenPolicy, Requeued};
use super::sharing::{Relaxation, Strategy};
use super::workflow::{Trace, Verdict};

/// Why nobody has the conversation of a blocked contact, and what to do about it.
const UNHEARD: &str = "Nobody was called, as the contact is blocked: it was resolved as soon as it began. Unblock the contact, and \
     their next message opens it; or reopen it by hand.";

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
    /// Who got it.
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

    /// Everybody it speaks of.
    pub fn people(&self) -> impl Iterator<Item = AgentId> + '_ {
        let holder = self.requeued.map(|requeued| requeued.holder);
        let candidates = self.candidates.iter().map(|candidate| candidate.agent);
        candidates.chain(self.chosen).chain(self.decided_by).chain(holder)
    }

    /// The decision in one sentence. `name` says what people call an agent.
    pub fn summary(&self, name: impl Fn(AgentId) -> String) -> String {
        let named = |agent: Option<AgentId>| agent.map_or_else(|| "nobody".to_owned(), &name);
        let by = named(self.decided_by);
        if let Some(Requeued { policy, holder }) = self.requeued {
            let why = match policy {
                ReopenPolicy::Requeue => String::new(),
                ReopenPolicy::Keep | ReopenPolicy::KeepIfAvailable => {
                    format!(" while {} was not online", name(holder))
                }
            };
            let policy = policy.as_str();
            return format!("It was opened again{why}: it waits in the queue of its team (policy {policy}).");
        }
        match (self.outcome, self.cause) {
            (Outcome::Assigned, Cause::Manual) => {
                let over = if self.over_capacity { ", which is more than their capacity" } else { "" };
                let did = if self.escalated { "escalated" } else { "assigned" };
                format!("{by} {did} it to {}{over}.", named(self.chosen))
            }
            (Outcome::Assigned, Cause::Workflow) if self.strategy.is_none() => {
                format!(
                    "{} gave it to {}.",
                    self.doers(|trace| Some(trace.workflow) == self.workflow),
                    named(self.chosen)
                )
            }
            (Outcome::Unchanged, _) => {
                let ran = self.doers(|trace| trace.verdict != Verdict::NotMatched);
                format!("{ran} ran: who has it stayed as it was.")
            }
            (Outcome::Assigned, cause) => {
                let waited = if cause == Cause::Queue { " after it had waited in the queue" } else { "" };
                format!(
                    "{}{waited}: {} of {} agents could take it{}{}.",
                    self.why(&named(self.chosen)),
                    self.eligible(),
                    self.candidates.len(),
                    self.asked(),
                    self.routed_by(),
                )
            }
            (Outcome::Queued, Cause::Manual) if self.escalated => {
                format!("{by} escalated it to a team: it joined the team's queue.")
            }
            (Outcome::Queued, Cause::Manual) => format!("{by} put it into the queue of a team."),
            (Outcome::Queued, _) => {
                format!("{}: it waits in the queue{}{}.", self.nobody(), self.asked(), self.routed_by())
            }
            (Outcome::Unrouted, _) => {
                format!("None of {} workflows gave it to a team: it is unassigned.", self.workflows.len())
            }
            (Outcome::Unassigned, _) => format!("{by} took it from its assignee."),
            (Outcome::Resolved, _) => UNHEARD.to_owned(),
        }
    }

    /// The workflows that fit, by name.
    fn doers(&self, which: impl Fn(&Trace) -> bool) -> String {
        let names: Vec<String> =
            self.workflows.iter().filter(|it| which(it)).map(|it| format!("\"{}\"", it.name)).collect();
        format!("Workflow{} {}", if names.len() == 1 { "" } else { "s" }, names.join(", "))
    }

    fn eligible(&self) -> usize {
        let free = |why: Option<Exclusion>| why.is_none_or(Exclusion::is_preference);
        self.candidates.iter().filter(|candidate| free(candidate.exclusion)).count()
    }

    /// Why whoever got it did and nobody else.
    fn why(&self, chosen: &str) -> String {
        match self.strategy.unwrap_or_default() {
            Strategy::RoundRobin => format!("It was the turn of {chosen} by round robin"),
            Strategy::Balanced => format!("{chosen} had the least to do, and was idle for longest of those"),
            Strategy::SkillBased => {
                format!(
                    "{chosen} had the least to do of those with the skills, and was idle for longest of those"
                )
            }
            Strategy::Sticky if self.last_agent.is_some() && self.chosen == self.last_agent => {
                format!("{chosen} had the contact's last conversation")
            }
            Strategy::Sticky => {
                format!(
                    "It was the turn of {chosen} by round robin, since no last agent of the contact could take it"
                )
            }
        }
    }

    /// Which skills were asked for, as far as they were.
    fn asked(&self) -> String {
        let skills: Vec<String> =
            self.required_skills.iter().map(|skill| format!("{} {}", skill.name, skill.level)).collect();
        match (skills.is_empty(), self.relaxation) {
            (true, _) => String::new(),
            (false, Relaxation::Nothing) => format!("; it requires {}", skills.join(", ")),
            (false, Relaxation::Levels) => {
                format!("; it requires {}, by now at any level", skills.join(", "))
            }
            (false, Relaxation::Skills) => format!("; it required {}, which was given up", skills.join(", ")),
        }
    }

    fn nobody(&self) -> String {
        let count = |why| self.candidates.iter().filter(|candidate| candidate.exclusion == Some(why)).count();
        let why: Vec<String> = [
            (count(Exclusion::Offline), "offline"),
            (count(Exclusion::Away), "away"),
            (count(Exclusion::LeaseExpired), "without a heartbeat"),
            (count(Exclusion::SkillMissing), "without the skills"),
            (count(Exclusion::NoCapacity), "without room for it"),
            (count(Exclusion::RampingUp), "ramping up"),
        ]
        .into_iter()
        .filter(|(agents, _)| *agents > 0)
        .map(|(agents, state)| format!("{agents} {state}"))
        .collect();
        match self.candidates.len() {
            0 => "The team has no members".to_owned(),
            all => format!("None of {all} agents could take it ({})", why.join(", ")),
        }
    }

    fn routed_by(&self) -> String {
        let matched =
            |trace: &&Trace| Some(trace.workflow) == self.workflow && trace.verdict == Verdict::Matched;
        let name = self.workflows.iter().find(matched).map(|trace| trace.name.as_str());
        name.map_or_else(String::new, |name| format!("; workflow \"{name}\" chose the team"))
    }
}

#[cfg(test)]
mod tests;
