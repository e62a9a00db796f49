//! What routing tells notifications, contacts and webhooks: recorded with the effect, delivered by the relay.

pub mod notes;
pub mod webhooks;

use std::sync::Arc;

use kernel::{ContactId, ConversationId, EventId, Timestamp};
use outbox::{Deliver, Event};
use prost::Message;
use proto::common::v1::Actor;
use proto::contacts::v1::activity_event::Event as Happening;
use proto::contacts::v1::activity_event_service_client::ActivityEventServiceClient;
use proto::contacts::v1::{
    ActivityEvent, ApplyActivityEventsRequest, ConversationOpened, ConversationReopened, ConversationResolved,
};
use proto::notifications::v1::ingest_service_client::IngestServiceClient;
use proto::notifications::v1::{NotificationEvent, NotificationType, NotifyRequest};
use rpc::Peer;

use crate::domain::conversation::Conversation;
use crate::domain::message::Author;

/// The peer that tells people, in the outbox.
pub const NOTIFICATIONS: &str = "notifications";

/// The peer that keeps contacts, in the outbox.
pub const CONTACTS: &str = "contacts";

/// That a person is to be told about a conversation.
#[derive(Debug, Clone)]
pub struct Told {
    /// The event.
    pub event: EventId,
    /// What it is about.
    pub about: NotificationType,
    /// The `sub` of who is told.
    pub recipient: String,
    /// Why, in a sentence; never content.
    pub reason: String,
    /// The conversation.
    pub conversation: ConversationId,
    /// Who did it, where a person did.
    pub actor: Option<Author>,
    /// When it happened.
    pub occur_time: Timestamp,
}

impl Told {
    /// The outbox event. Unordered: feeds take events in any order, and together they arrive sooner.
    #[must_use]
    pub fn event(self) -> Event {
        self.event_about(None)
    }

    /// The same, about a note, whose id it is.
    #[must_use]
    pub fn event_about(self, note: Option<EventId>) -> Event {
        let message = NotificationEvent {
            event_id: self.event.to_string(),
            r#type: self.about.into(),
            recipient_subjects: vec![self.recipient],
            reason: self.reason,
            conversation_id: self.conversation.to_string(),
            note_id: note.map(|note| note.to_string()).unwrap_or_default(),
            actor: self.actor.map(actor),
            occur_time: Some(rpc::convert::proto_time(self.occur_time)),
            private_excerpt: String::new(),
        };
        Event {
            event_id: self.event,
            target: NOTIFICATIONS,
            kind: kind(self.about),
            payload: message.encode_to_vec(),
            key: None,
        }
    }
}

/// What the outbox calls an event.
fn kind(about: NotificationType) -> &'static str {
    match about {
        NotificationType::Assigned => "assigned",
        NotificationType::Reopened => "reopened",
        NotificationType::Handoff => "handoff",
        NotificationType::Escalated => "escalated",
        NotificationType::Offered => "offered",
        NotificationType::NoReply => "no_reply",
        NotificationType::Workflow => "workflow",
        NotificationType::SlaWarning => "sla_warning",
        NotificationType::SlaBreach => "sla_breach",
        _ => "told",
    }
}

fn actor(author: Author) -> Actor {
    Actor {
        subject: author.subject.to_string(),
        role: rpc::convert::proto_role(author.role).into(),
        display_name: author.display_name,
    }
}

/// That several people are to be told the same about a conversation, by nobody.
#[derive(Debug, Clone)]
pub struct ToldSeveral {
    /// The event.
    pub event: EventId,
    /// What it is about.
    pub about: NotificationType,
    /// The `sub` of those who are told.
    pub recipients: Vec<String>,
    /// Why, in a sentence; never content.
    pub reason: String,
    /// The conversation.
    pub conversation: ConversationId,
    /// When it happened.
    pub occur_time: Timestamp,
}

impl ToldSeveral {
    /// The outbox event; none if there is nobody to be told.
    #[must_use]
    pub fn event(self) -> Option<Event> {
        if self.recipients.is_empty() {
            return None;
        }
        let message = NotificationEvent {
            event_id: self.event.to_string(),
            r#type: self.about.into(),
            recipient_subjects: self.recipients,
            reason: self.reason,
            conversation_id: self.conversation.to_string(),
            note_id: String::new(),
            actor: None,
            occur_time: Some(rpc::convert::proto_time(self.occur_time)),
            private_excerpt: String::new(),
        };
        let payload = message.encode_to_vec();
        Some(Event {
            event_id: self.event,
            target: NOTIFICATIONS,
            kind: kind(self.about),
            payload,
            key: None,
        })
    }
}

/// What happened to a conversation, to be remembered around its contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It began.
    Opened,
    /// It was resolved.
    Resolved,
    /// It was resolved and is open again.
    Reopened,
}

/// That something happened around a contact.
#[derive(Debug, Clone)]
pub struct Around {
    event: EventId,
    contact: ContactId,
    conversation: ConversationId,
    what: Happened,
    actor: Option<Author>,
    occur_time: Timestamp,
}

impl Around {
    /// What happened to this conversation, and who did it where a person inside did.
    #[must_use]
    pub fn of(
        it: &Conversation,
        event: EventId,
        what: Happened,
        actor: Option<Author>,
        occur_time: Timestamp,
    ) -> Self {
        // Whoever keeps it knows who stands for them, and lets it return with the conversation.
        let contact = it.first_contact.unwrap_or(it.contact);
        Self { event, contact, conversation: it.id, what, actor, occur_time }
    }

    /// The outbox event. Unordered: it carries its time.
    #[must_use]
    pub fn event(self) -> Event {
        let conversation_id = self.conversation.to_string();
        let (kind, happened) = match self.what {
            Happened::Opened => {
                ("opened", Happening::ConversationOpened(ConversationOpened { conversation_id }))
            }
            Happened::Resolved => {
                ("resolved", Happening::ConversationResolved(ConversationResolved { conversation_id }))
            }
            Happened::Reopened => {
                ("reopened", Happening::ConversationReopened(ConversationReopened { conversation_id }))
            }
        };
        let message = ActivityEvent {
            event_id: self.event.to_string(),
            contact_id: self.contact.to_string(),
            occur_time: Some(rpc::convert::proto_time(self.occur_time)),
            actor: self.actor.map(actor),
            event: Some(happened),
        };
        Event { event_id: self.event, target: CONTACTS, kind, payload: message.encode_to_vec(), key: None }
    }
}

/// Takes events to the contacts service.
#[must_use]
pub fn deliver_to_contacts(peer: Peer) -> Arc<dyn Deliver> {
    runtime::to_peer(peer, |contacts, events| async move {
        let request = ApplyActivityEventsRequest { events };
        let answer = ActivityEventServiceClient::new(contacts).apply_activity_events(request).await?;
        Ok(answer.into_inner().outcomes)
    })
}

/// Takes events to the notifications service.
#[must_use]
pub fn deliver_to_notifications(peer: Peer) -> Arc<dyn Deliver> {
    runtime::to_peer(peer, |notifications, events| async move {
        let answer = IngestServiceClient::new(notifications).notify(NotifyRequest { events }).await?;
        Ok(answer.into_inner().outcomes)
    })
}
