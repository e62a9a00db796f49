//! What this service tells others: which contacts became one, and which parted again. Ids only.

pub(crate) mod webhooks;

use std::sync::Arc;

use kernel::{Clock, EventId, Timestamp};
use outbox::{Deliver, Event};
use prost::Message;
use proto::common::v1::contact_event::Event as Happened;
use proto::common::v1::{ContactEvent, ContactMerged, ContactUnmerged};
use proto::notes::v1 as notes;
use proto::notes::v1::contact_event_service_client::ContactEventServiceClient as NotesClient;
use proto::routing::v1 as routing;
use proto::routing::v1::contact_event_service_client::ContactEventServiceClient as RoutingClient;
use rpc::Peer;
use rpc::convert::proto_time;
use uuid::Uuid;

use crate::domain::Merge;
use crate::peers::{NOTES, ROUTING};

/// All merges of an organization are one line: whoever follows them hears of a merge before the one that builds on it, and of its end
/// after the end of that one.
const LINE: Uuid = Uuid::from_u128(0x6261_636b_6368_7000_8000_6d65_7267_6573);

/// The events of a merge.
pub(crate) fn of_merge(clock: &Clock, merge: &Merge) -> Vec<Event> {
    let merged = ContactMerged {
        merge_id: merge.merge_id.to_string(),
        from_contact_id: merge.from.to_string(),
        into_contact_id: merge.into.to_string(),
    };
    told(clock, "contact_merged", merge.done.time, Happened::ContactMerged(merged))
}

/// The events of a merge that was taken back.
pub(crate) fn of_unmerge(clock: &Clock, merge: &Merge) -> Vec<Event> {
    let unmerged = ContactUnmerged {
        merge_id: merge.merge_id.to_string(),
        from_contact_id: merge.from.to_string(),
        into_contact_id: merge.into.to_string(),
    };
    let time = merge.undone.as_ref().map_or(merge.done.time, |undone| undone.time);
    told(clock, "contact_unmerged", time, Happened::ContactUnmerged(unmerged))
}

/// The same for everybody who refers to contacts.
fn told(clock: &Clock, kind: &'static str, time: Timestamp, happened: Happened) -> Vec<Event> {
    let event_id: EventId = clock.new_id().into();
    let message = ContactEvent {
        event_id: event_id.to_string(),
        occur_time: Some(proto_time(time)),
        event: Some(happened),
    };
    let payload = message.encode_to_vec();
    let event = |target| Event { event_id, target, kind, payload: payload.clone(), key: Some(LINE) };
    vec![event(ROUTING), event(NOTES)]
}

/// Takes events to the assignment-routing service, whose conversations follow.
pub(crate) fn deliver_to_routing(peer: Peer) -> Arc<dyn Deliver> {
    runtime::to_peer(peer, |routing, events| async move {
        let request = routing::ApplyContactEventsRequest { events };
        let answer = RoutingClient::new(routing).apply_contact_events(request).await?;
        Ok(answer.into_inner().outcomes)
    })
}

/// Takes events to the notes service, whose notes follow.
pub(crate) fn deliver_to_notes(peer: Peer) -> Arc<dyn Deliver> {
    runtime::to_peer(peer, |notes, events| async move {
        let request = notes::ApplyContactEventsRequest { events };
        let answer = NotesClient::new(notes).apply_contact_events(request).await?;
        Ok(answer.into_inner().outcomes)
    })
}
