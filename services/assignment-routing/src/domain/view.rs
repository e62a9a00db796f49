//! Inbox views (R7): which conversations, in which order, from where.

use kernel::{AgentId, ContactId, ConversationId, TeamId};
use serde::{Deserialize, Serialize};

use super::conversation::Conversation;

/// A set of conversations as an agent works through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum View {
    /// Open, assigned to the reader.
    Mine,
    /// Open, assigned to nobody.
    Unassigned,
    /// Open, of one of the reader's teams or of the team named.
    Team,
    /// Not resolved, in which somebody mentioned the reader.
    Mentioned,
    /// Open, the reader's or mentioning them, with something they have not seen.
    Unread,
    /// Every open one.
    All,
    /// Resolved ones.
    Resolved,
    /// Snoozed ones.
    Snoozed,
    /// Open or snoozed: what contacts list as ALL, who do not learn which.
    Unresolved,
    /// Whatever its status: what contacts list, those of one contact, and where one is looked for by the channel's own id.
    Every,
}

impl View {
    /// The views that are counted, in the order of the contract.
    pub const COUNTED: [Self; 8] = [
        Self::Mine,
        Self::Unassigned,
        Self::Team,
        Self::Mentioned,
        Self::Unread,
        Self::All,
        Self::Resolved,
        Self::Snoozed,
    ];

    /// Those of them that differ from reader to reader.
    pub const PERSONAL: [Self; 4] = [Self::Mine, Self::Team, Self::Mentioned, Self::Unread];

    /// Those of them that are the same for all.
    pub const SHARED: [Self; 4] = [Self::Unassigned, Self::All, Self::Resolved, Self::Snoozed];
}

/// How a view is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sort {
    /// Latest activity first.
    LastActivity,
    /// Longest waiting customer first; those who do not wait last.
    LongestWaiting,
    /// Most urgent first, then longest waiting.
    Priority,
}

/// What a list is asked for. Its serialized form is what a page token is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Which conversations.
    pub view: View,
    /// In which order.
    pub sort: Sort,
    /// With the view [`View::Team`]: only this team.
    pub team: Option<TeamId>,
    /// Only those of this contact.
    pub contact: Option<ContactId>,
    /// Only those assigned to this agent.
    pub assignee: Option<AgentId>,
    /// Only the one with this id of the channel's own.
    pub external_id: Option<String>,
    /// Only those of this channel.
    pub channel: Option<String>,
    /// Only those from this source.
    pub source: Option<String>,
}

/// Where a page ended: the sort keys of its last line, in the direction in which they grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The first key: activity, waiting or urgency.
    pub first: i64,
    /// The second key, of [`Sort::Priority`].
    pub second: i64,
    /// The conversation.
    pub conversation: ConversationId,
}

/// Where those who do not wait are sorted.
pub const NOT_WAITING: i64 = i64::MAX;

impl Place {
    /// The place of a conversation in an order.
    #[must_use]
    pub fn of(conversation: &Conversation, sort: Sort) -> Self {
        let waiting = conversation.waiting_since.map_or(NOT_WAITING, |since| since.as_micros());
        let (first, second) = match sort {
            Sort::LastActivity => (conversation.last_activity_time.as_micros(), 0),
            Sort::LongestWaiting => (waiting, 0),
            Sort::Priority => (-i64::from(conversation.priority.rank()), waiting),
        };
        Self { first, second, conversation: conversation.id }
    }
}

/// A line of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The conversation.
    pub conversation: Conversation,
    /// Whether there is something newer than the reader's cursor.
    pub unread: bool,
    /// Whether somebody mentioned the reader since they last read it.
    pub mentioned: bool,
}
