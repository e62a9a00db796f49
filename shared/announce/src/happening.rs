//! Something that happened, in the words of the contract.

use audit::Origin;
use kernel::{EventId, Role, Timestamp};
use outbox::Event;
use prost::Message;
use proto::common::v1::Actor;
use proto::notifications::v1::webhook_event::Change;
use proto::notifications::v1::{WebhookEvent, WebhookEventType};
use rpc::convert::{proto_role, proto_time};
use uuid::Uuid;

use crate::TARGET;

/// Something that happened.
#[derive(Clone)]
pub struct Happening {
    /// A new id.
    pub event: EventId,
    /// What happened.
    pub kind: WebhookEventType,
    /// When.
    pub time: Timestamp,
    /// Who did it, where a person did.
    pub actor: Option<Actor>,
    /// To what. It has no content.
    pub change: Change,
    /// What is told one after the other: the object, or what it belongs to and is erased with.
    pub key: Uuid,
    /// What the note says; it leaves the service only where a webhook is to get it.
    pub private_text: Option<String>,
}

impl std::fmt::Debug for Happening {
    /// Without what the note says: it must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Happening")
            .field("event", &self.event)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Happening {
    /// The event of the outbox.
    pub(crate) fn event(self, private: bool) -> Event {
        let message = WebhookEvent {
            event_id: self.event.to_string(),
            r#type: self.kind.into(),
            occur_time: Some(proto_time(self.time)),
            actor: self.actor,
            change: Some(self.change),
            private_text: self.private_text.filter(|_| private).unwrap_or_default(),
        };
        Event {
            event_id: self.event,
            target: TARGET,
            kind: self.kind.as_str_name(),
            payload: message.encode_to_vec(),
            key: Some(self.key),
        }
    }
}

/// Who did it, as the audit trail has it; nobody, where a service did it by itself.
#[must_use]
pub fn by(origin: &Origin) -> Option<Actor> {
    let role = origin.role();
    (role != Role::Service).then(|| Actor {
        subject: origin.subject().to_owned(),
        role: proto_role(role).into(),
        display_name: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use proto::notifications::v1::{WebhookNoteChange, WebhookNoteKind};

    use super::*;

    fn note() -> Happening {
        let note = WebhookNoteChange {
            note_id: Uuid::nil().to_string(),
            kind: WebhookNoteKind::Conversation.into(),
            ..Default::default()
        };
        Happening {
            event: EventId::from_uuid(Uuid::nil()),
            kind: WebhookEventType::NoteCreated,
            time: Timestamp::from_micros(0),
            actor: None,
            change: Change::Note(note),
            key: Uuid::nil(),
            private_text: Some("canary".to_owned()),
        }
    }

    // D8, N3
    #[test]
    fn what_a_note_says_leaves_only_for_those_who_asked_for_it() {
        let told = |private| note().event(private).payload;
        let says = |payload: Vec<u8>| WebhookEvent::decode(payload.as_slice()).unwrap().private_text;
        assert_eq!(says(told(true)), "canary");
        assert_eq!(says(told(false)), "");
        assert!(!format!("{:?}", note()).contains("canary"));
    }
}
