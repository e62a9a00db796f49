//! What this service tells others: who is mentioned, and that there is a new note. Never what a note says.

use std::time::Duration;

use db::BoxFuture;
use kernel::{Clock, EventId, OrgId, Subject};
use outbox::{Deliver, Event, Outcome, Outgoing, Undelivered};
use prost::Message;
use proto::common::v1::Actor;
use proto::notifications::v1::ingest_service_client::IngestServiceClient;
use proto::notifications::v1::{NotificationEvent, NotificationType, NotifyRequest};
use proto::routing::v1::conversation_event::Event as Happened;
use proto::routing::v1::event_service_client::EventServiceClient;
use proto::routing::v1::{ApplyEventsRequest, ConversationEvent, NoteAdded, PeopleMentioned};
use rpc::Peer;
use rpc::convert::{proto_role, proto_time};

use crate::domain::{Author, Note};

/// The peer that tells people.
pub const NOTIFICATIONS: &str = "notifications";
/// The peer that keeps conversations, their read cursors and the MENTIONED view.
pub const ROUTING: &str = "routing";

/// People in one event, at most: as both contracts say.
const PEOPLE: usize = 1_000;
/// The time of one delivery.
const DELIVERY: Duration = Duration::from_secs(5);

/// The events of a new note.
pub fn of_new_note(clock: &Clock, note: &Note, recipients: &[Subject]) -> Vec<Event> {
    let added = Happened::NoteAdded(NoteAdded { author_subject: note.author.subject.to_string() });
    let mut events = vec![to_routing(clock, note, "note_added", added)];
    events.extend(of_mentions(clock, note, &note.author, recipients));
    events
}

/// The events of the mentions in a text which `actor` wrote: none if nobody is told.
pub fn of_mentions(clock: &Clock, note: &Note, actor: &Author, recipients: &[Subject]) -> Vec<Event> {
    let told = recipients.chunks(PEOPLE).flat_map(|people| {
        let subjects: Vec<String> = people.iter().map(Subject::to_string).collect();
        let mentioned = Happened::PeopleMentioned(PeopleMentioned { subjects: subjects.clone() });
        [
            to_notifications(clock, note, actor, subjects),
            to_routing(clock, note, "people_mentioned", mentioned),
        ]
    });
    told.collect()
}

fn to_notifications(clock: &Clock, note: &Note, actor: &Author, recipient_subjects: Vec<String>) -> Event {
    let event_id: EventId = clock.new_id().into();
    let message = NotificationEvent {
        event_id: event_id.to_string(),
        r#type: NotificationType::Mentioned.into(),
        recipient_subjects,
        reason: format!("{} mentioned you in a note", actor.display_name),
        conversation_id: note.conversation_id.to_string(),
        note_id: note.note_id.to_string(),
        actor: Some(Actor {
            subject: actor.subject.to_string(),
            role: proto_role(actor.role).into(),
            display_name: actor.display_name.clone(),
        }),
        occur_time: Some(proto_time(note.update_time)),
    };
    recorded(event_id, NOTIFICATIONS, "mentioned", &message)
}

fn to_routing(clock: &Clock, note: &Note, kind: &'static str, happened: Happened) -> Event {
    let event_id: EventId = clock.new_id().into();
    let message = ConversationEvent {
        event_id: event_id.to_string(),
        conversation_id: note.conversation_id.to_string(),
        occur_time: Some(proto_time(note.update_time)),
        event: Some(happened),
    };
    recorded(event_id, ROUTING, kind, &message)
}

fn recorded(event_id: EventId, target: &'static str, kind: &'static str, message: &impl Message) -> Event {
    // No key: each event carries its time, so that the order in which they arrive does not matter.
    Event { event_id, target, kind, payload: message.encode_to_vec(), key: None }
}

/// Takes events to the notifications service.
pub struct ToNotifications(pub Peer);

impl Deliver for ToNotifications {
    fn deliver<'a>(
        &'a self,
        org: &'a OrgId,
        batch: Vec<Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>> {
        Box::pin(async move {
            let mut client = IngestServiceClient::new(self.0.as_service(org, DELIVERY));
            let answer = client.notify(NotifyRequest { events: runtime::recorded(&batch)? }).await;
            runtime::delivered(batch.len(), answer, |answer| answer.outcomes)
        })
    }
}

/// Takes events to the assignment-routing service.
pub struct ToRouting(pub Peer);

impl Deliver for ToRouting {
    fn deliver<'a>(
        &'a self,
        org: &'a OrgId,
        batch: Vec<Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>> {
        Box::pin(async move {
            let mut client = EventServiceClient::new(self.0.as_service(org, DELIVERY));
            let answer = client.apply_events(ApplyEventsRequest { events: runtime::recorded(&batch)? }).await;
            runtime::delivered(batch.len(), answer, |answer| answer.outcomes)
        })
    }
}
