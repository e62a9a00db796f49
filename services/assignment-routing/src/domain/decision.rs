//! Why somebody has a conversation, or nobody (R15): stored with every assignment, read by people.

use kernel::{AgentId, ConversationId, DecisionId, TeamId, Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};

use super::choose::{Candidate, Exclusion};
use super::workflow::{Strategy, Trace, Verdict};

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
        }
    }

    /// Everybody it speaks of.
    pub fn people(&self) -> impl Iterator<Item = AgentId> + '_ {
        self.candidates.iter().map(|candidate| candidate.agent).chain(self.chosen).chain(self.decided_by)
    }

    /// The decision in one sentence. `name` says what people call an agent.
    pub fn summary(&self, name: impl Fn(AgentId) -> String) -> String {
        let named = |agent: Option<AgentId>| agent.map_or_else(|| "nobody".to_owned(), &name);
        let by = named(self.decided_by);
        match (self.outcome, self.cause) {
            (Outcome::Assigned, Cause::Manual) => format!("{by} assigned it to {}.", named(self.chosen)),
            (Outcome::Assigned, cause) => {
                let waited = if cause == Cause::Queue { " after it had waited in the queue" } else { "" };
                format!(
                    "It was the turn of {} by round robin{waited}: {} of {} agents could take it{}.",
                    named(self.chosen),
                    self.eligible(),
                    self.candidates.len(),
                    self.routed_by(),
                )
            }
            (Outcome::Queued, Cause::Manual) => format!("{by} put it into the queue of a team."),
            (Outcome::Queued, _) => format!("{}: it waits in the queue{}.", self.nobody(), self.routed_by()),
            (Outcome::Unrouted, _) => {
                format!("None of {} workflows gave it to a team: it is unassigned.", self.workflows.len())
            }
            (Outcome::Unassigned, _) => format!("{by} took it from its assignee."),
            (Outcome::Resolved, _) => UNHEARD.to_owned(),
        }
    }

    fn eligible(&self) -> usize {
        let free = |why: Option<Exclusion>| matches!(why, None | Some(Exclusion::NotTheirTurn));
        self.candidates.iter().filter(|candidate| free(candidate.exclusion)).count()
    }

    fn nobody(&self) -> String {
        let count = |why| self.candidates.iter().filter(|candidate| candidate.exclusion == Some(why)).count();
        let why: Vec<String> = [
            (count(Exclusion::Offline), "offline"),
            (count(Exclusion::Away), "away"),
            (count(Exclusion::LeaseExpired), "without a heartbeat"),
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
mod tests {
    use kernel::Clock;

    use super::*;

    fn candidate(agent: AgentId, exclusion: Option<Exclusion>) -> Candidate {
        Candidate { agent, exclusion, open: 0 }
    }

    // R15
    #[test]
    fn a_decision_reads_as_a_sentence() {
        let clock = Clock::system();
        let (ana, ben): (AgentId, AgentId) = (clock.new_id().into(), clock.new_id().into());
        let name = |agent| if agent == ana { "Ana".to_owned() } else { "Ben".to_owned() };
        let mut it = Decision::manual(
            clock.new_id().into(),
            clock.new_id().into(),
            clock.now(),
            ben,
            Outcome::Assigned,
        );
        it.chosen = Some(ana);
        assert_eq!(it.summary(name), "Ben assigned it to Ana.");

        it.cause = Cause::Queue;
        it.candidates = vec![candidate(ben, Some(Exclusion::Away)), candidate(ana, None)];
        assert_eq!(
            it.summary(name),
            "It was the turn of Ana by round robin after it had waited in the queue: 1 of 2 agents could take it."
        );

        it.outcome = Outcome::Queued;
        it.candidates = vec![candidate(ben, Some(Exclusion::Away)), candidate(ana, Some(Exclusion::Offline))];
        assert_eq!(
            it.summary(name),
            "None of 2 agents could take it (1 offline, 1 away): it waits in the queue."
        );

        let unheard = Decision::unheard(it.id, it.conversation, it.decide_time).summary(name);
        assert!(unheard.contains("the contact is blocked") && unheard.contains("Unblock"), "{unheard}");
    }
}
