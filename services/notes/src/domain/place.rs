//! What a note is on.

use kernel::{ContactId, ConversationId};
use serde::{Deserialize, Serialize};

/// A conversation, or a contact and thereby every conversation with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Seen in this conversation only.
    Conversation {
        /// The conversation.
        conversation_id: ConversationId,
        /// Its contact.
        contact_id: ContactId,
    },
    /// Seen in every conversation with the contact.
    Contact {
        /// The contact.
        contact_id: ContactId,
        /// The conversation from within which it was written, if from within one.
        origin: Option<ConversationId>,
    },
}

/// Kinds of notes, as filters name them. Columns name what a note is on: a handoff is on a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// A conversation.
    Conversation,
    /// A contact.
    Contact,
    /// A conversation, which it hands over.
    Handoff,
}

impl NoteKind {
    /// As columns and the index have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Contact => "contact",
            Self::Handoff => "handoff",
        }
    }
}

impl Place {
    /// What kind of thing it is: a conversation or a contact.
    pub fn kind(&self) -> NoteKind {
        match self {
            Self::Conversation { .. } => NoteKind::Conversation,
            Self::Contact { .. } => NoteKind::Contact,
        }
    }

    /// The conversation the note is on; none for a note on a contact.
    pub fn conversation_id(&self) -> Option<ConversationId> {
        match self {
            Self::Conversation { conversation_id, .. } => Some(*conversation_id),
            Self::Contact { .. } => None,
        }
    }

    /// The contact the note is about.
    pub fn contact_id(&self) -> ContactId {
        match self {
            Self::Conversation { contact_id, .. } | Self::Contact { contact_id, .. } => *contact_id,
        }
    }

    /// The same place, about another contact.
    #[must_use]
    pub fn about(self, contact_id: ContactId) -> Self {
        match self {
            Self::Conversation { conversation_id, .. } => Self::Conversation { conversation_id, contact_id },
            Self::Contact { origin, .. } => Self::Contact { contact_id, origin },
        }
    }

    /// The conversation from within which a note on a contact was written.
    pub fn origin(&self) -> Option<ConversationId> {
        match self {
            Self::Conversation { .. } => None,
            Self::Contact { origin, .. } => *origin,
        }
    }

    /// The conversation a person is led to who is told of the note.
    pub fn leads_to(&self) -> Option<ConversationId> {
        self.conversation_id().or(self.origin())
    }

    /// Whether notes here and there are listed together: on the same conversation, or on the same contact.
    pub fn is_with(&self, other: &Self) -> bool {
        match (self.conversation_id(), other.conversation_id()) {
            (Some(here), Some(there)) => here == there,
            (None, None) => self.contact_id() == other.contact_id(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Clock, ContactId, ConversationId};

    use super::Place;

    // N2, N4
    #[test]
    fn notes_are_together_on_one_conversation_or_on_one_contact() {
        let clock = Clock::system();
        let contact = || -> ContactId { clock.new_id().into() };
        let conversation = || -> ConversationId { clock.new_id().into() };
        let (ana, one) = (contact(), conversation());
        let on_one = Place::Conversation { conversation_id: one, contact_id: ana };
        let on_ana = Place::Contact { contact_id: ana, origin: Some(one) };
        assert!(
            on_one.is_with(&Place::Conversation { conversation_id: one, contact_id: contact() }),
            "merged"
        );
        assert!(on_ana.is_with(&Place::Contact { contact_id: ana, origin: None }));
        assert!(!on_one.is_with(&on_ana) && !on_ana.is_with(&on_one));
        assert!(!on_one.is_with(&Place::Conversation { conversation_id: conversation(), contact_id: ana }));
        assert!(!on_ana.is_with(&Place::Contact { contact_id: contact(), origin: Some(one) }));
    }
}
