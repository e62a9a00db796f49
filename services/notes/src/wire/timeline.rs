//! Timelines.

use kernel::PageSize;
use proto::notes::v1 as pb;
use proto::notes::v1::timeline_entry::Entry as Shown;
use rpc::Fault;
use rpc::convert::{id_of, proto_time};

use super::internal_message::message;
use super::note::note;
use crate::app::timeline::{Content, Entry, TimelinePage, TimelineRequest};
use crate::domain::timeline::Order;

/// Reads a request for a page.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn request(request: pb::ListTimelineRequest) -> Result<TimelineRequest, Fault> {
    let order = match request.order() {
        pb::TimelineOrder::Unspecified | pb::TimelineOrder::OldestFirst => Order::OldestFirst,
        pb::TimelineOrder::NewestFirst => Order::NewestFirst,
    };
    Ok(TimelineRequest {
        conversation_id: id_of("conversation_id", &request.conversation_id)?,
        order,
        size: PageSize::of(request.page_size)?,
        token: request.page_token,
    })
}

/// A page for the wire.
pub fn listed(page: TimelinePage) -> pb::ListTimelineResponse {
    let entries = page.entries.into_iter().map(entry).collect();
    pb::ListTimelineResponse { entries, next_page_token: page.next_token }
}

fn entry(it: Entry) -> pb::TimelineEntry {
    let (visibility, shown) = match it.content {
        Content::Message(message) => (pb::TimelineVisibility::CustomerFacing, Shown::Message(*message)),
        Content::Event(event) => (pb::TimelineVisibility::Internal, Shown::Event(*event)),
        Content::Note(it) => (pb::TimelineVisibility::Internal, Shown::Note(note(*it))),
        Content::InternalMessage(it) => {
            (pb::TimelineVisibility::Internal, Shown::InternalMessage(message(*it)))
        }
    };
    pb::TimelineEntry {
        entry_time: Some(proto_time(it.place.time)),
        visibility: visibility.into(),
        entry: Some(shown),
    }
}
