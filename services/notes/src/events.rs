//! What this service tells others: who is mentioned, and that there is a new note. Never what a note says.

pub mod contacts;
pub mod notifications;
pub mod webhooks;

use std::sync::Arc;

use kernel::{Clock, ConversationId, EventId, Subject, Timestamp};
use outbox::{Deliver, Event};
use prost::Message;
use proto::common::v1::Actor;
use proto::notifications::v1::{NotificationEvent, NotificationType};
use proto::routing::v1::conversation_event::Event as Happened;
use proto::routing::v1::event_service_client::EventServiceClient;
use proto::routing::v1::{ApplyEventsRequest, ConversationEvent, NoteAdded, PeopleMentioned};
use rpc::Peer;
use rpc::convert::{proto_role, proto_time};

use crate::domain::internal_message::InternalMessage;
use crate::domain::{Author, Note, Urgency};

/// The peer that tells people.
pub const NOTIFICATIONS: &str = "notifications";
/// The peer that keeps conversations, their read cursors and the MENTIONED view.
pub const ROUTING: &str = "routing";

/// People in one event, at most: as both contracts say.
const PEOPLE: usize = 1_000;

/// The events of a new note, without that of a handoff.
pub fn of_new_note(clock: &Clock, note: &Note, recipients: &[Subject]) -> Vec<Event> {
    let mut events = vec![contacts::of_new_note(clock, note)];
    // What is on a contact is nothing new in one of their conversations.
    if let Some(conversation_id) = note.place.conversation_id() {
        let added = Happened::NoteAdded(NoteAdded { author_subject: note.author.subject.to_string() });
        events.push(to_routing(clock, note, conversation_id, "note_added", added));
    }
    events.extend(of_mentions(clock, note, &note.author, recipients));
    events
}

/// The event of a handoff to an agent, who is told, and how soon it wants to be taken up.
pub fn of_handoff(clock: &Clock, note: &Note) -> Option<Event> {
    let handoff = note.handoff.as_ref()?;
    let receiver = vec![handoff.person()?.to_string()];
    let told = Told::Handoff(handoff.urgency);
    Some(to_notifications(clock, note, &note.author, told, receiver, note.create_time))
}

/// The event of an acknowledgement: the author of the handoff is told.
pub fn of_acknowledgement(clock: &Clock, note: &Note, by: &Author, time: Timestamp) -> Event {
    let author = vec![note.author.subject.to_string()];
    to_notifications(clock, note, by, Told::Acknowledgement, author, time)
}

/// The events of the mentions in a text which `actor` wrote: none if nobody is told.
pub fn of_mentions(clock: &Clock, note: &Note, actor: &Author, recipients: &[Subject]) -> Vec<Event> {
    let told = recipients.chunks(PEOPLE).flat_map(|people| {
        let subjects: Vec<String> = people.iter().map(Subject::to_string).collect();
        let mentioned = Happened::PeopleMentioned(PeopleMentioned { subjects: subjects.clone() });
        let there =
            note.place.leads_to().map(|id| to_routing(clock, note, id, "people_mentioned", mentioned));
        [Some(to_notifications(clock, note, actor, Told::Mention, subjects, note.update_time)), there]
    });
    told.flatten().collect()
}

/// The events of a reply: those who follow its thread and are not mentioned in it are told.
pub fn of_reply(clock: &Clock, note: &Note, recipients: &[Subject]) -> Vec<Event> {
    let told = recipients.chunks(PEOPLE).map(|people| {
        let subjects = people.iter().map(Subject::to_string).collect();
        to_notifications(clock, note, &note.author, Told::Reply, subjects, note.create_time)
    });
    told.collect()
}

/// Why somebody is told of a note.
#[derive(Clone, Copy)]
enum Told {
    Mention,
    Reply,
    Handoff(Urgency),
    Acknowledgement,
}

fn to_notifications(
    clock: &Clock,
    note: &Note,
    actor: &Author,
    told: Told,
    recipient_subjects: Vec<String>,
    occur_time: Timestamp,
) -> Event {
    let event_id: EventId = clock.new_id().into();
    let (kind, r#type, did) = match told {
        Told::Mention => ("mentioned", NotificationType::Mentioned, "mentioned you in a note".to_owned()),
        Told::Reply => {
            ("note_reply", NotificationType::NoteReply, "replied in a thread you follow".to_owned())
        }
        Told::Handoff(urgency) => {
            let did = format!("handed a conversation over to you (urgency: {})", urgency.as_str());
            ("handoff", NotificationType::Handoff, did)
        }
        Told::Acknowledgement => {
            ("acknowledged", NotificationType::Handoff, "acknowledged your handoff".to_owned())
        }
    };
    let message = NotificationEvent {
        event_id: event_id.to_string(),
        r#type: r#type.into(),
        recipient_subjects,
        reason: format!("{} {did}", actor.display_name),
        conversation_id: note.place.leads_to().map(|id| id.to_string()).unwrap_or_default(),
        note_id: note.note_id.to_string(),
        actor: Some(Actor {
            subject: actor.subject.to_string(),
            role: proto_role(actor.role).into(),
            display_name: actor.display_name.clone(),
        }),
        occur_time: Some(proto_time(occur_time)),
        private_excerpt: String::new(),
    };
    recorded(event_id, NOTIFICATIONS, kind, &message)
}

fn to_routing(
    clock: &Clock,
    note: &Note,
    conversation_id: ConversationId,
    kind: &'static str,
    happened: Happened,
) -> Event {
    let event_id: EventId = clock.new_id().into();
    let message = ConversationEvent {
        event_id: event_id.to_string(),
        conversation_id: conversation_id.to_string(),
        occur_time: Some(proto_time(note.update_time)),
        event: Some(happened),
    };
    recorded(event_id, ROUTING, kind, &message)
}

fn recorded(event_id: EventId, target: &'static str, kind: &'static str, message: &impl Message) -> Event {
    // No key: each event carries its time, so that the order in which they arrive does not matter.
    Event { event_id, target, kind, payload: message.encode_to_vec(), key: None }
}

/// The event of an internal message: everybody else in its thread is told that there is one. None if nobody is.
pub fn of_internal_message(clock: &Clock, message: &InternalMessage, recipients: &[Subject]) -> Vec<Event> {
    if recipients.is_empty() {
        return Vec::new();
    }
    let event_id: EventId = clock.new_id().into();
    let author = &message.author;
    let event = NotificationEvent {
        event_id: event_id.to_string(),
        r#type: NotificationType::InternalMessage.into(),
        recipient_subjects: recipients.iter().map(Subject::to_string).collect(),
        reason: format!("{} wrote you an internal message", author.display_name),
        conversation_id: message.conversation_id.to_string(),
        note_id: String::new(),
        actor: Some(Actor {
            subject: author.subject.to_string(),
            role: proto_role(author.role).into(),
            display_name: author.display_name.clone(),
        }),
        occur_time: Some(proto_time(message.create_time)),
        private_excerpt: String::new(),
    };
    vec![recorded(event_id, NOTIFICATIONS, "internal_message", &event)]
}

/// Takes events to the assignment-routing service.
pub fn deliver_to_routing(peer: Peer) -> Arc<dyn Deliver> {
    runtime::to_peer(peer, |routing, events| async move {
        let answer = EventServiceClient::new(routing).apply_events(ApplyEventsRequest { events }).await?;
        Ok(answer.into_inner().outcomes)
    })
}
