//! Conversations, as people inside and as contacts see them.

use proto::routing::v1 as pb;
use rpc::Fault;
use rpc::convert::etag;
use rpc::update_mask;

use super::agent::person;
use super::{maybe_time, narrow, time};
use crate::domain::conversation::{Conversation, ConversationChange, Status};
use crate::domain::priority::Priority;

/// A conversation, for people `inside` or for a contact, who sees nothing of how it is worked on: neither by whom nor
/// that it is put aside.
#[must_use]
pub fn conversation(it: Conversation, inside: bool) -> pb::Conversation {
    let shared = pb::Conversation {
        conversation_id: it.id.to_string(),
        source: it.source,
        channel: it.channel,
        external_id: it.external_id,
        contact_id: it.contact.to_string(),
        subject: it.subject,
        status: status(it.status, inside).into(),
        first_reply_time: maybe_time(it.first_reply_time),
        last_activity_time: time(it.last_activity_time),
        resolve_time: maybe_time(it.resolve_time),
        create_time: time(it.create_time),
        message_count: narrow(it.message_count),
        ..pb::Conversation::default()
    };
    if !inside {
        return shared;
    }
    pb::Conversation {
        etag: etag(it.version),
        tags: it.tags.into_iter().collect(),
        priority: priority(it.priority).into(),
        assignee: it.assignee.map(person),
        team_id: it.team.map(|team| team.to_string()).unwrap_or_default(),
        waiting_since_time: maybe_time(it.waiting_since),
        snooze_until_time: maybe_time(it.snooze_until),
        first_contact_id: it.first_contact.map(|contact| contact.to_string()).unwrap_or_default(),
        ..shared
    }
}

/// The changes of a conversation.
///
/// # Errors
/// UNKNOWN_UPDATE_PATH.
pub fn conversation_change(it: pb::UpdateConversationRequest) -> Result<ConversationChange, Fault> {
    let paths = update_mask::paths(
        it.update_mask.as_ref(),
        &[("subject", !it.subject.is_empty()), ("tags", !it.tags.is_empty()), ("priority", it.priority != 0)],
    )?;
    Ok(ConversationChange {
        // Named and not said is as for a new conversation.
        priority: paths.take("priority", priority_of(it.priority()).unwrap_or_default()),
        subject: paths.take("subject", it.subject),
        tags: paths.take("tags", it.tags.into_iter().collect()),
    })
}

/// A priority for the wire.
#[must_use]
pub fn priority(it: Priority) -> pb::Priority {
    match it {
        Priority::Low => pb::Priority::Low,
        Priority::Normal => pb::Priority::Normal,
        Priority::High => pb::Priority::High,
        Priority::Urgent => pb::Priority::Urgent,
    }
}

/// A priority from the wire; `None`: not said.
#[must_use]
pub fn priority_of(it: pb::Priority) -> Option<Priority> {
    match it {
        pb::Priority::Unspecified => None,
        pb::Priority::Low => Some(Priority::Low),
        pb::Priority::Normal => Some(Priority::Normal),
        pb::Priority::High => Some(Priority::High),
        pb::Priority::Urgent => Some(Priority::Urgent),
    }
}

fn status(it: Status, inside: bool) -> pb::ConversationStatus {
    match it {
        Status::Snoozed if inside => pb::ConversationStatus::Snoozed,
        Status::Open | Status::Snoozed => pb::ConversationStatus::Open,
        Status::Resolved => pb::ConversationStatus::Resolved,
    }
}
