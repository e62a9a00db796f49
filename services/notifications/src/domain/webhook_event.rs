//! What happened, as webhooks are told it. A [`WebhookEvent`] that exists can be stored and sent.

use std::collections::BTreeSet;

use kernel::{ContactId, ConversationId, EventId, Malformed, Timestamp};
use serde_json::Value;
use uuid::Uuid;

/// What can happen that a webhook can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventType {
    /// A customer wrote for the first time in a conversation.
    ConversationCreated,
    /// An agent has it.
    ConversationAssigned,
    /// Nobody has it any more.
    ConversationUnassigned,
    /// It was given to a team.
    ConversationQueued,
    /// It is done.
    ConversationResolved,
    /// It is open again.
    ConversationReopened,
    /// It was put aside for a while.
    ConversationSnoozed,
    /// A target is about to be missed.
    ConversationSlaWarned,
    /// A target was missed.
    ConversationSlaBreached,
    /// Somebody wrote a note.
    NoteCreated,
    /// Somebody changed the text of a note.
    NoteUpdated,
    /// Somebody deleted a note.
    NoteDeleted,
    /// There is a new contact.
    ContactCreated,
    /// Something about a contact changed.
    ContactUpdated,
    /// A contact became part of another.
    ContactMerged,
    /// A merge was taken back.
    ContactUnmerged,
    /// Everything about a contact is being erased.
    ContactErased,
}

/// To what something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// A conversation.
    Conversation,
    /// A note.
    Note,
    /// A contact.
    Contact,
}

impl EventType {
    /// Every type, in the order of the contract.
    pub const ALL: [Self; 17] = [
        Self::ConversationCreated,
        Self::ConversationAssigned,
        Self::ConversationUnassigned,
        Self::ConversationQueued,
        Self::ConversationResolved,
        Self::ConversationReopened,
        Self::ConversationSnoozed,
        Self::ConversationSlaWarned,
        Self::ConversationSlaBreached,
        Self::NoteCreated,
        Self::NoteUpdated,
        Self::NoteDeleted,
        Self::ContactCreated,
        Self::ContactUpdated,
        Self::ContactMerged,
        Self::ContactUnmerged,
        Self::ContactErased,
    ];

    /// As it is stored, and as webhooks are told it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConversationCreated => "conversation.created",
            Self::ConversationAssigned => "conversation.assigned",
            Self::ConversationUnassigned => "conversation.unassigned",
            Self::ConversationQueued => "conversation.queued",
            Self::ConversationResolved => "conversation.resolved",
            Self::ConversationReopened => "conversation.reopened",
            Self::ConversationSnoozed => "conversation.snoozed",
            Self::ConversationSlaWarned => "conversation.sla_warned",
            Self::ConversationSlaBreached => "conversation.sla_breached",
            Self::NoteCreated => "note.created",
            Self::NoteUpdated => "note.updated",
            Self::NoteDeleted => "note.deleted",
            Self::ContactCreated => "contact.created",
            Self::ContactUpdated => "contact.updated",
            Self::ContactMerged => "contact.merged",
            Self::ContactUnmerged => "contact.unmerged",
            Self::ContactErased => "contact.erased",
        }
    }

    /// To what it happens.
    pub const fn object(self) -> ObjectKind {
        match self {
            Self::ConversationCreated
            | Self::ConversationAssigned
            | Self::ConversationUnassigned
            | Self::ConversationQueued
            | Self::ConversationResolved
            | Self::ConversationReopened
            | Self::ConversationSnoozed
            | Self::ConversationSlaWarned
            | Self::ConversationSlaBreached => ObjectKind::Conversation,
            Self::NoteCreated | Self::NoteUpdated | Self::NoteDeleted => ObjectKind::Note,
            Self::ContactCreated
            | Self::ContactUpdated
            | Self::ContactMerged
            | Self::ContactUnmerged
            | Self::ContactErased => ObjectKind::Contact,
        }
    }
}

db::read_as!(EventType: String);

impl TryFrom<String> for EventType {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| Malformed::new("is not a type of webhook event"))
    }
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookEvent {
    /// The sender's name for it: the same id takes effect once.
    pub event_id: EventId,
    /// What happened.
    pub kind: EventType,
    /// To what: the note, the conversation or the contact. Events of one object are told in their order.
    pub object: Uuid,
    /// The conversation it is about, where there is one.
    pub conversation: Option<ConversationId>,
    /// The contact it is about, where that is known.
    pub contact: Option<ContactId>,
    /// When it happened.
    pub occur_time: Timestamp,
    /// What everybody who listens may know: ids, never what somebody said, nor a customer's name or address.
    pub data: Value,
    /// What the note says, for those only who asked for it.
    pub private_text: Option<String>,
}

impl std::fmt::Debug for WebhookEvent {
    /// Without what the note says: it must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookEvent")
            .field("event_id", &self.event_id)
            .field("kind", &self.kind)
            .field("object", &self.object)
            .finish_non_exhaustive()
    }
}

/// What the webhooks of an organization want to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interest {
    /// Every type that one of them wants.
    pub types: BTreeSet<EventType>,
    /// Whether one of them gets what notes say, too.
    pub private_text: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    // D8
    #[test]
    fn every_type_reads_back_and_says_to_what_it_happens() {
        for kind in EventType::ALL {
            assert_eq!(EventType::try_from(kind.as_str().to_owned()), Ok(kind));
            let object = match kind.object() {
                ObjectKind::Conversation => "conversation",
                ObjectKind::Note => "note",
                ObjectKind::Contact => "contact",
            };
            assert_eq!(kind.as_str().split_once('.').unwrap().0, object);
        }
        assert!(EventType::try_from("other".to_owned()).is_err());
    }

    // Fault 32
    #[test]
    fn what_a_note_says_is_not_in_what_is_logged() {
        let event = WebhookEvent {
            event_id: EventId::from_uuid(Uuid::nil()),
            kind: EventType::NoteCreated,
            object: Uuid::nil(),
            conversation: None,
            contact: None,
            occur_time: Timestamp::from_micros(0),
            data: Value::Null,
            private_text: Some("canary".to_owned()),
        };
        assert!(!format!("{event:?}").contains("canary"));
    }
}
