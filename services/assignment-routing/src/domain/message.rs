//! Messages that the customer wrote or can see.

use kernel::{ConversationId, MessageId, Role, Subject, Timestamp};

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the customer.
    Inbound,
    /// To the customer.
    Outbound,
}

impl Direction {
    /// As the database spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "INBOUND",
            Self::Outbound => "OUTBOUND",
        }
    }

    /// Reads what [`Direction::as_str`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        [Self::Inbound, Self::Outbound].into_iter().find(|direction| direction.as_str() == text)
    }
}

/// Who wrote an outbound message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The `sub` of their token.
    pub subject: Subject,
    /// The role of that token.
    pub role: Role,
    /// What people call them.
    pub display_name: String,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The message.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its place there: 1, 2, 3 and so on.
    pub position: i64,
    /// The channel it went over.
    pub channel: String,
    /// The channel's own id of it.
    pub external_id: String,
    /// Which way it went.
    pub direction: Direction,
    /// What was written.
    pub text: String,
    /// Who wrote it, where it went out.
    pub author: Option<Author>,
    /// When it was written, as the channel says.
    pub sent_time: Timestamp,
    /// When it was recorded.
    pub create_time: Timestamp,
}
