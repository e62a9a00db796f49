//! What this service tells others: which contacts became one, and which parted again. Ids only.

use std::time::Duration;

use db::BoxFuture;
use kernel::{Clock, EventId, OrgId, Timestamp};
use outbox::{Deliver, Event, Outcome, Outgoing, Undelivered};
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

/// The time of one delivery.
const DELIVERY: Duration = Duration::from_secs(5);

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
pub(crate) struct ToRouting(pub(crate) Peer);

impl Deliver for ToRouting {
    fn deliver<'a>(
        &'a self,
        org: &'a OrgId,
        batch: Vec<Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>> {
        Box::pin(async move {
            let mut client = RoutingClient::new(self.0.as_service(org, DELIVERY));
            let request = routing::ApplyContactEventsRequest { events: runtime::recorded(&batch)? };
            let answer = client.apply_contact_events(request).await;
            runtime::delivered(batch.len(), answer, |answer| answer.outcomes)
        })
    }
}

/// Takes events to the notes service, whose notes follow.
pub(crate) struct ToNotes(pub(crate) Peer);

impl Deliver for ToNotes {
    fn deliver<'a>(
        &'a self,
        org: &'a OrgId,
        batch: Vec<Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>> {
        Box::pin(async move {
            let mut client = NotesClient::new(self.0.as_service(org, DELIVERY));
            let request = notes::ApplyContactEventsRequest { events: runtime::recorded(&batch)? };
            let answer = client.apply_contact_events(request).await;
            runtime::delivered(batch.len(), answer, |answer| answer.outcomes)
        })
    }
}
