//! Who is to have a conversation.

use kernel::{AgentId, TeamId};

/// Who is to have a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// An agent.
    Agent(AgentId),
    /// A team: the conversation joins its queue.
    Team(TeamId),
    /// Nobody: it is unassigned, and in no queue, until somebody assigns it.
    Nobody,
}
