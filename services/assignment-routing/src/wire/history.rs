//! What was said in a conversation and what happened to it.

use kernel::PageSize;
use proto::common::v1::Actor;
use proto::routing::v1 as pb;
use rpc::Fault;
use rpc::convert::{id_of, proto_role, time_of};

use super::agent::person;
use super::message::message;
use super::sla::metric;
use super::{maybe_time, time};
use crate::app::history::{History, Stretch};
use crate::domain::history::{Edge, EventKind, EventReason, Order, ShownEvent};

/// Which stretch is asked for.
///
/// # Errors
/// INVALID_FIELD for an id or a time that is none.
pub fn stretch(it: pb::GetHistoryRequest) -> Result<Stretch, Fault> {
    let order = match it.order() {
        pb::HistoryOrder::Unspecified | pb::HistoryOrder::OldestFirst => Order::OldestFirst,
        pb::HistoryOrder::NewestFirst => Order::NewestFirst,
    };
    Ok(Stretch {
        conversation: id_of("conversation_id", &it.conversation_id)?,
        order,
        messages_after: edge("messages_after", order, it.messages_after)?,
        events_after: edge("events_after", order, it.events_after)?,
        size: PageSize::of(it.page_size)?,
    })
}

fn edge(field: &'static str, order: Order, after: Option<pb::HistoryPosition>) -> Result<Edge, Fault> {
    let Some(after) = after else { return Ok(Edge::start(order)) };
    let behind = after.time.as_ref().ok_or_else(|| Fault::invalid(field, "needs a time"))?;
    let id: kernel::EventId = id_of(field, &after.id)?;
    Ok(Edge { time: time_of(field, behind)?, id: id.as_uuid() })
}

/// A stretch, for people inside.
#[must_use]
pub fn history(it: History) -> pb::GetHistoryResponse {
    pb::GetHistoryResponse {
        messages: it.messages.into_iter().map(|it| message(it, true)).collect(),
        more_messages: it.more_messages,
        events: it.events.into_iter().map(event).collect(),
        more_events: it.more_events,
        contact_id: it.contact.to_string(),
    }
}

fn event(it: ShownEvent) -> pb::HistoryEvent {
    let ShownEvent { event, assignee, previous, team_handle } = it;
    let actor = event.actor.map(|actor| Actor {
        subject: actor.subject.to_string(),
        role: proto_role(actor.role).into(),
        display_name: actor.display_name,
    });
    pb::HistoryEvent {
        event_id: event.id.to_string(),
        conversation_id: event.conversation.to_string(),
        r#type: kind(event.kind).into(),
        event_time: time(event.time),
        actor,
        assignee: assignee.map(person),
        previous_assignee: previous.map(person),
        team_id: event.team.map(|team| team.to_string()).unwrap_or_default(),
        team_handle: team_handle.unwrap_or_default(),
        snooze_until_time: maybe_time(event.snooze_until),
        reason: event.reason.map_or(pb::HistoryEventReason::Unspecified, reason).into(),
        sla_metric: event.metric.map_or(pb::SlaMetric::Unspecified, metric).into(),
    }
}

fn reason(it: EventReason) -> pb::HistoryEventReason {
    match it {
        EventReason::AgentOffline => pb::HistoryEventReason::AgentOffline,
        EventReason::NoReply => pb::HistoryEventReason::NoReply,
    }
}

fn kind(it: EventKind) -> pb::HistoryEventType {
    match it {
        EventKind::Assigned => pb::HistoryEventType::Assigned,
        EventKind::Unassigned => pb::HistoryEventType::Unassigned,
        EventKind::Queued => pb::HistoryEventType::Queued,
        EventKind::Resolved => pb::HistoryEventType::Resolved,
        EventKind::Reopened => pb::HistoryEventType::Reopened,
        EventKind::Snoozed => pb::HistoryEventType::Snoozed,
        EventKind::SlaWarned => pb::HistoryEventType::SlaWarned,
        EventKind::SlaBreached => pb::HistoryEventType::SlaBreached,
    }
}
