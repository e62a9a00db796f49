//! What of conversations a caller may see.

use kernel::{ContactId, Role};
use rpc::Caller;

use crate::domain::conversation::Conversation;

/// Which conversations, and how much of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// All of the organization, whole.
    Everything,
    /// A contact's own, without what is internal.
    Own(ContactId),
    /// None: a contact whose token names nobody we could know.
    Nothing,
}

impl Sight {
    /// What this caller sees.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        match caller.role {
            Role::Contact => ContactId::parse(caller.subject.as_str()).map_or(Self::Nothing, Self::Own),
            _ => Self::Everything,
        }
    }

    /// Whether it includes a conversation.
    #[must_use]
    pub fn includes(self, conversation: &Conversation) -> bool {
        match self {
            Self::Everything => true,
            Self::Own(contact) => conversation.contact == contact,
            Self::Nothing => false,
        }
    }

    /// Whether what is internal is shown.
    #[must_use]
    pub fn inside(self) -> bool {
        self == Self::Everything
    }
}
