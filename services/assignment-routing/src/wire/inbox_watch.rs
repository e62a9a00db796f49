//! The inbox as a stream.

use kernel::ConversationId;
use proto::routing::v1 as pb;
use proto::routing::v1::watch_inbox_response::Frame;
use rpc::stream::Start;

use super::{inbox, offer};
use crate::domain::conversation::Conversation;
use crate::domain::offer::Offer;
use crate::domain::view::{Entry, View};

/// The views that are followed without a choice.
const USUAL: [View; 5] = [View::Mine, View::Unassigned, View::Team, View::Mentioned, View::Unread];

/// Reads a request to follow views: which, each once and in the order of the contract, and from where.
#[must_use]
pub fn watch(request: pb::WatchInboxRequest) -> (Vec<View>, Start) {
    let asked: Vec<pb::InboxView> = request.views().collect();
    let follows = |view: &View| match asked.is_empty() {
        true => USUAL.contains(view),
        false => asked.contains(&inbox::view(*view)),
    };
    (View::COUNTED.into_iter().filter(follows).collect(), Start::from(request.start))
}

/// A conversation that came, changed or went: which of the followed views show it now, and its line, if any does.
#[must_use]
pub fn change(id: ConversationId, views: &[View], entry: Option<Entry>) -> Frame {
    Frame::Change(pb::InboxChange {
        conversation_id: id.to_string(),
        views: views.iter().map(|view| inbox::view(*view).into()).collect(),
        entry: entry.map(|entry| inbox::entry(entry, true)),
    })
}

/// The sizes of the followed views.
#[must_use]
pub fn counts(counts: Vec<(View, i64)>) -> Frame {
    Frame::Counts(pb::InboxCounts { counts: counts.into_iter().map(inbox::count).collect() })
}

/// What is offered to the reader of a conversation.
#[must_use]
pub fn offer_change(id: ConversationId, offered: Option<(Offer, Conversation)>) -> Frame {
    Frame::OfferChange(pb::InboxOfferChange {
        conversation_id: id.to_string(),
        offer: offered.map(offer::offer),
    })
}

/// The reader's teams changed.
#[must_use]
pub fn teams_changed() -> Frame {
    Frame::TeamsChanged(pb::InboxTeamsChanged { views: vec![pb::InboxView::Team.into()] })
}
