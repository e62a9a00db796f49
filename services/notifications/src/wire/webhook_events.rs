//! What other services tell of what happened: each event is checked by itself, so that one that cannot be passed on does not take the
//! others of its batch with it.

use kernel::{ContactId, ConversationId, EventId, Malformed, NoteId};
use proto::common::v1::Actor;
use proto::notifications::v1 as pb;
use proto::notifications::v1::webhook_event::Change;
use rpc::convert::{proto_time, role_of, time_of};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::webhook_event::{EventType, Interest, ObjectKind, WebhookEvent};

/// A type of the contract; none if it is not said, or not known here.
pub(crate) fn event_type(kind: i32) -> Option<EventType> {
    let place = usize::try_from(kind).ok()?.checked_sub(1)?;
    EventType::ALL.get(place).copied()
}

/// A type for the contract.
pub(crate) fn proto_event_type(kind: EventType) -> pb::WebhookEventType {
    let place = EventType::ALL.into_iter().position(|other| other == kind).unwrap_or_default();
    let number = i32::try_from(place + 1).unwrap_or_default();
    pb::WebhookEventType::try_from(number).unwrap_or(pb::WebhookEventType::Unspecified)
}

impl From<Interest> for pb::GetWebhookInterestResponse {
    fn from(it: Interest) -> Self {
        let types = it.types.into_iter().map(|kind| proto_event_type(kind).into()).collect();
        Self { types, private_text: it.private_text }
    }
}

/// Reads an event. The reasons name fields, never values.
pub(crate) fn event(it: pb::WebhookEvent) -> Result<WebhookEvent, Malformed> {
    let kind = event_type(it.r#type).ok_or_else(|| Malformed::new("is not known here").at("type"))?;
    let time = it.occur_time.ok_or_else(|| Malformed::new("is required").at("occur_time"))?;
    let occur_time =
        time_of("occur_time", &time).map_err(|_| Malformed::new("is not valid").at("occur_time"))?;
    let About { object, conversation, contact, mut data } = about(kind, it.change)?;
    if let Some(actor) = it.actor {
        data.insert("actor".to_owned(), who(&actor)?);
    }
    let private_text = (!it.private_text.is_empty()).then_some(it.private_text);
    if private_text.is_some() && kind.object() != ObjectKind::Note {
        return Err(Malformed::new("goes with notes only").at("private_text"));
    }
    Ok(WebhookEvent {
        event_id: EventId::parse(&it.event_id).map_err(|malformed| malformed.at("event_id"))?,
        kind,
        object,
        conversation,
        contact,
        occur_time,
        data: Value::Object(data),
        private_text,
    })
}

/// To what something happened, and what is told of it.
struct About {
    object: Uuid,
    conversation: Option<ConversationId>,
    contact: Option<ContactId>,
    data: Map<String, Value>,
}

fn about(kind: EventType, change: Option<Change>) -> Result<About, Malformed> {
    match (kind.object(), change) {
        (ObjectKind::Conversation, Some(Change::Conversation(it))) => of_conversation(it),
        (ObjectKind::Note, Some(Change::Note(it))) => of_note(&it),
        (ObjectKind::Contact, Some(Change::Contact(it))) => of_contact(&it),
        _ => Err(Malformed::new("does not fit the type").at("change")),
    }
}

fn of_conversation(it: pb::WebhookConversationChange) -> Result<About, Malformed> {
    let conversation: ConversationId = needed("conversation.conversation_id", &it.conversation_id)?;
    let mut data = Map::new();
    said(&mut data, "conversation_id", &it.conversation_id);
    said(&mut data, "contact_id", &it.contact_id);
    said(&mut data, "channel", &it.channel);
    said(&mut data, "external_id", &it.external_id);
    said(&mut data, "agent_id", &it.agent_id);
    said(&mut data, "previous_agent_id", &it.previous_agent_id);
    said(&mut data, "team_id", &it.team_id);
    said(&mut data, "sla_metric", &it.sla_metric);
    if let Some(until) = it.snooze_until_time {
        let wrong = || Malformed::new("is not valid").at("conversation.snooze_until_time");
        let until = time_of("conversation.snooze_until_time", &until).map_err(|_| wrong())?;
        said(&mut data, "snooze_until_time", &proto_time(until).to_string());
    }
    let contact = optional("conversation.contact_id", &it.contact_id)?;
    Ok(About { object: conversation.as_uuid(), conversation: Some(conversation), contact, data })
}

fn of_note(it: &pb::WebhookNoteChange) -> Result<About, Malformed> {
    let note: NoteId = needed("note.note_id", &it.note_id)?;
    let kind = match it.kind() {
        pb::WebhookNoteKind::Conversation => "conversation",
        pb::WebhookNoteKind::Contact => "contact",
        pb::WebhookNoteKind::Handoff => "handoff",
        pb::WebhookNoteKind::Unspecified => "",
    };
    let mut data = Map::new();
    said(&mut data, "note_id", &it.note_id);
    said(&mut data, "kind", kind);
    said(&mut data, "conversation_id", &it.conversation_id);
    said(&mut data, "contact_id", &it.contact_id);
    data.insert("revision".to_owned(), Value::from(it.revision));
    Ok(About {
        object: note.as_uuid(),
        conversation: optional("note.conversation_id", &it.conversation_id)?,
        contact: Some(needed("note.contact_id", &it.contact_id)?),
        data,
    })
}

fn of_contact(it: &pb::WebhookContactChange) -> Result<About, Malformed> {
    let contact: ContactId = needed("contact.contact_id", &it.contact_id)?;
    let mut data = Map::new();
    said(&mut data, "contact_id", &it.contact_id);
    said(&mut data, "into_contact_id", &it.into_contact_id);
    said(&mut data, "merge_id", &it.merge_id);
    Ok(About { object: contact.as_uuid(), conversation: None, contact: Some(contact), data })
}

/// Whoever did it; without the name, which may be looked up.
fn who(actor: &Actor) -> Result<Value, Malformed> {
    let role = role_of("actor.role", actor.role);
    let role = role.map_err(|_| Malformed::new("is not valid").at("actor.role"))?;
    let mut data = Map::new();
    said(&mut data, "subject", &actor.subject);
    said(&mut data, "role", role.as_str());
    Ok(Value::Object(data))
}

fn said(data: &mut Map<String, Value>, name: &str, text: &str) {
    if !text.is_empty() {
        data.insert(name.to_owned(), Value::from(text));
    }
}

fn needed<T: std::str::FromStr<Err = Malformed>>(field: &'static str, text: &str) -> Result<T, Malformed> {
    text.parse().map_err(|malformed: Malformed| malformed.at(field))
}

fn optional<T: std::str::FromStr<Err = Malformed>>(
    field: &'static str,
    text: &str,
) -> Result<Option<T>, Malformed> {
    if text.is_empty() { Ok(None) } else { needed(field, text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8001";

    fn note() -> pb::WebhookEvent {
        let note = pb::WebhookNoteChange {
            note_id: ID.to_owned(),
            kind: pb::WebhookNoteKind::Handoff.into(),
            conversation_id: ID.to_owned(),
            contact_id: ID.to_owned(),
            revision: 2,
        };
        pb::WebhookEvent {
            event_id: ID.to_owned(),
            r#type: pb::WebhookEventType::NoteUpdated.into(),
            occur_time: Some(prost_types::Timestamp::default()),
            actor: Some(Actor { subject: "ana".to_owned(), role: 2, display_name: "Ana".to_owned() }),
            change: Some(Change::Note(note)),
            private_text: "what it says".to_owned(),
        }
    }

    // D8
    #[test]
    fn every_type_crosses_the_wire_and_back() {
        for kind in EventType::ALL {
            let proto = proto_event_type(kind);
            assert_eq!(event_type(proto.into()), Some(kind));
            let name = kind.as_str().to_uppercase().replace('.', "_");
            assert_eq!(proto.as_str_name(), format!("WEBHOOK_EVENT_TYPE_{name}"));
        }
        assert_eq!([event_type(0), event_type(-1), event_type(99)], [None; 3]);
    }

    // D8, N3
    #[test]
    fn what_everybody_may_know_has_ids_and_neither_text_nor_names() {
        let read = event(note()).unwrap();
        let expected = serde_json::json!({
            "note_id": ID, "kind": "handoff", "conversation_id": ID, "contact_id": ID, "revision": 2,
            "actor": {"subject": "ana", "role": "agent"},
        });
        assert_eq!(read.data, expected);
        assert_eq!(read.private_text.as_deref(), Some("what it says"));
    }

    // D8
    #[test]
    fn a_change_that_does_not_fit_its_type_is_refused_with_the_field() {
        let mut other = note();
        other.r#type = pb::WebhookEventType::ContactCreated.into();
        assert_eq!(event(other).unwrap_err().field(), Some("change"));
        let bare = pb::WebhookEvent { change: None, ..note() };
        assert_eq!(event(bare).unwrap_err().field(), Some("change"));
        let contact = pb::WebhookContactChange { contact_id: ID.to_owned(), ..Default::default() };
        let told = pb::WebhookEvent {
            r#type: pb::WebhookEventType::ContactCreated.into(),
            change: Some(Change::Contact(contact)),
            ..note()
        };
        assert_eq!(event(told).unwrap_err().field(), Some("private_text"));
        let nobody = pb::WebhookEvent { occur_time: None, ..note() };
        assert_eq!(event(nobody).unwrap_err().field(), Some("occur_time"));
    }
}
