//! What contacts is told: that a colleague wrote a note around one, who and when. Never what it says, and no id that leads to it.

use std::sync::Arc;

use kernel::{Clock, EventId};
use outbox::{Deliver, Event};
use proto::common::v1::Actor;
use proto::contacts::v1::activity_event::Event as Happened;
use proto::contacts::v1::activity_event_service_client::ActivityEventServiceClient;
use proto::contacts::v1::{ActivityEvent, ApplyActivityEventsRequest, NoteWritten};
use rpc::Peer;
use rpc::convert::{proto_role, proto_time};

use super::recorded;
use crate::domain::Note;
use crate::peers::CONTACTS;

/// The event of a new note.
pub(super) fn of_new_note(clock: &Clock, note: &Note) -> Event {
    let event_id: EventId = clock.new_id().into();
    let conversation_id = note.place.leads_to().map(|id| id.to_string()).unwrap_or_default();
    let author = &note.author;
    let message = ActivityEvent {
        event_id: event_id.to_string(),
        contact_id: note.place.contact_id().to_string(),
        occur_time: Some(proto_time(note.create_time)),
        actor: Some(Actor {
            subject: author.subject.to_string(),
            role: proto_role(author.role).into(),
            display_name: author.display_name.clone(),
        }),
        event: Some(Happened::NoteWritten(NoteWritten { conversation_id })),
    };
    recorded(event_id, CONTACTS, "note_written", &message)
}

/// Takes events to the contacts service.
pub fn deliver_to_contacts(peer: Peer) -> Arc<dyn Deliver> {
    runtime::to_peer(peer, |contacts, events| async move {
        let request = ApplyActivityEventsRequest { events };
        let answer = ActivityEventServiceClient::new(contacts).apply_activity_events(request).await?;
        Ok(answer.into_inner().outcomes)
    })
}
