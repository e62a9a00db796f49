//! Targets that were missed, as they are remembered.

use kernel::{AgentId, ConversationId, EventId, TeamId, Timestamp};

use super::{Metric, Under};
use crate::domain::agent::Person;

/// A target that was missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Also the event in the conversation's history.
    pub id: EventId,
    /// The conversation.
    pub conversation: ConversationId,
    /// What was measured.
    pub metric: Metric,
    /// The policy that said so.
    pub policy: Under,
    /// The team of the conversation when it was told.
    pub team: Option<TeamId>,
    /// Who had it then.
    pub assignee: Option<AgentId>,
    /// From when it was counted.
    pub start: Timestamp,
    /// When it was missed.
    pub due: Timestamp,
    /// When nobody waited any more.
    pub end: Option<Timestamp>,
}

/// A target that was missed, with who had the conversation, as they are called now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownBreach {
    /// What was missed.
    pub breach: Breach,
    /// Who had the conversation.
    pub assignee: Option<Person>,
}
