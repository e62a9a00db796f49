//! What routing tells the webhooks of its organization: what happens to conversations. Ids, never what a customer wrote.

use announce::Happening;
use kernel::EventId;
use proto::notifications::v1::webhook_event::Change;
use proto::notifications::v1::{WebhookConversationChange, WebhookEventType};
use rpc::convert::proto_time;

use super::actor;
use crate::domain::conversation::Conversation;
use crate::domain::history::{EventKind, HistoryEvent};
use crate::domain::sla::Metric;

/// What happened, from the history of a conversation. Under an id of its own: those of entries are no secret of the history.
#[must_use]
pub fn of_history(event: EventId, it: &HistoryEvent) -> Happening {
    let id = |id: Option<String>| id.unwrap_or_default();
    let change = WebhookConversationChange {
        conversation_id: it.conversation.to_string(),
        agent_id: id(it.agent.map(|agent| agent.to_string())),
        previous_agent_id: id(it.previous.map(|agent| agent.to_string())),
        team_id: id(it.team.map(|team| team.to_string())),
        snooze_until_time: it.snooze_until.map(proto_time),
        sla_metric: it.metric.map(metric).unwrap_or_default(),
        ..WebhookConversationChange::default()
    };
    Happening {
        event,
        kind: kind(it.kind),
        time: it.time,
        actor: it.actor.clone().map(actor),
        change: Change::Conversation(change),
        key: it.conversation.as_uuid(),
        private_text: None,
    }
}

/// A conversation began.
#[must_use]
pub fn of_beginning(event: EventId, it: &Conversation) -> Happening {
    let change = WebhookConversationChange {
        conversation_id: it.id.to_string(),
        contact_id: it.contact.to_string(),
        channel: it.channel.clone(),
        external_id: it.external_id.clone(),
        ..WebhookConversationChange::default()
    };
    Happening {
        event,
        kind: WebhookEventType::ConversationCreated,
        time: it.create_time,
        actor: None,
        change: Change::Conversation(change),
        key: it.id.as_uuid(),
        private_text: None,
    }
}

/// What an entry of the history is to webhooks.
#[must_use]
pub fn kind(it: EventKind) -> WebhookEventType {
    match it {
        EventKind::Assigned => WebhookEventType::ConversationAssigned,
        EventKind::Unassigned => WebhookEventType::ConversationUnassigned,
        EventKind::Queued => WebhookEventType::ConversationQueued,
        EventKind::Resolved => WebhookEventType::ConversationResolved,
        EventKind::Reopened => WebhookEventType::ConversationReopened,
        EventKind::Snoozed => WebhookEventType::ConversationSnoozed,
        EventKind::SlaWarned => WebhookEventType::ConversationSlaWarned,
        EventKind::SlaBreached => WebhookEventType::ConversationSlaBreached,
    }
}

fn metric(it: Metric) -> String {
    it.as_str().to_lowercase()
}
