//! Workflows as an admin wrote them. What they make of a conversation: [`super::ruleset`].

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use kernel::{AgentId, TeamId, Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};

use super::priority::Priority;
use super::sharing::Sharing;

/// The shortest and the longest wait that a workflow is triggered by.
pub const WAITS: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(30 * 24 * 60 * 60);

/// What is said of any other.
pub const OUT_OF_RANGE: &str = "must be from 10 seconds to 30 days";

/// When a workflow is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trigger {
    /// A conversation began.
    ConversationCreated,
    /// A resolved or snoozed conversation is open again.
    ConversationReopened,
    /// A message of the customer came in.
    MessageReceived,
    /// A person or a channel gave it tags that it did not have.
    ConversationTagged,
    /// It is open, and nobody has had it for a while.
    UnassignedFor,
    /// It is open, and the customer has waited for an answer for a while.
    NoReplyFor,
}

impl Trigger {
    /// Those that come by themselves, after a wait.
    pub const TIMED: &[Self] = &[Self::UnassignedFor, Self::NoReplyFor];

    /// Whether it comes by itself, after a wait.
    #[must_use]
    pub fn is_timed(self) -> bool {
        Self::TIMED.contains(&self)
    }
}

/// One thing a workflow does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Gives the conversation to a team.
    AssignTeam {
        /// The team.
        team: TeamId,
        /// How it shares the conversation.
        #[serde(flatten)]
        sharing: Sharing,
    },
    /// Gives the conversation to an agent who can take it at that moment.
    AssignAgent(AgentId),
    /// Adds tags.
    AddTags(BTreeSet<String>),
    /// Takes tags off it.
    RemoveTags(BTreeSet<String>),
    /// Sets the priority.
    SetPriority(Priority),
    /// Tells people inside.
    Notify {
        /// Agents.
        agents: BTreeSet<AgentId>,
        /// A team, whose members are told.
        team: Option<TeamId>,
        /// Why, in a sentence.
        reason: String,
    },
    /// Writes a private note on it.
    AddNote {
        /// Markdown.
        text: String,
    },
    /// Ends the run: no further workflow is looked at.
    Stop,
}

impl Action {
    /// The team it names.
    #[must_use]
    pub fn team(&self) -> Option<TeamId> {
        match self {
            Self::AssignTeam { team, .. } => Some(*team),
            Self::Notify { team, .. } => *team,
            _ => None,
        }
    }

    /// The agents it names.
    #[must_use]
    pub fn agents(&self) -> BTreeSet<AgentId> {
        match self {
            Self::AssignAgent(agent) => BTreeSet::from([*agent]),
            Self::Notify { agents, .. } => agents.clone(),
            _ => BTreeSet::new(),
        }
    }
}

/// When something happens, and a condition holds: do this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    /// The workflow.
    pub id: WorkflowId,
    /// Grows by one with every change.
    pub version: i64,
    /// What it is called.
    pub name: String,
    /// Workflows run by ascending position, then by age.
    pub position: i32,
    /// Whether it is skipped.
    pub disabled: bool,
    /// When it is looked at.
    pub trigger: Trigger,
    /// How long the wait is that triggers it, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Duration>,
    /// CEL; empty: always.
    pub condition: String,
    /// What it does, in order.
    pub actions: Vec<Action>,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

impl Workflow {
    /// What is wrong with its wait, if something is.
    #[must_use]
    pub fn unfit_wait(&self) -> Option<&'static str> {
        match self.after {
            None if self.trigger.is_timed() => {
                Some("is needed with the triggers UNASSIGNED_FOR and NO_REPLY_FOR")
            }
            Some(_) if !self.trigger.is_timed() => {
                Some("is for the triggers UNASSIGNED_FOR and NO_REPLY_FOR only: leave it out with any other")
            }
            Some(after) if !WAITS.contains(&after) => Some(OUT_OF_RANGE),
            _ => None,
        }
    }
}

/// What became of a workflow when it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Its condition held; its actions ran.
    Matched,
    /// Its condition did not hold.
    NotMatched,
    /// Its condition could not be evaluated: it was skipped.
    Failed,
}

/// A workflow that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The workflow.
    pub workflow: WorkflowId,
    /// Its name at that time.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it failed, or what of its actions could not be done; empty otherwise.
    pub detail: String,
}
