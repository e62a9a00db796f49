//! The contract's types to ours, and back.

pub(crate) mod deliveries;
pub(crate) mod devices;
mod explain;
pub(crate) mod preferences;
pub(crate) mod settings;
pub(crate) mod webhook_events;
pub(crate) mod webhooks;

use kernel::PageSize;
use proto::common::v1 as common;
use proto::notifications::v1 as pb;
use rpc::convert::{proto_role, proto_time};
use rpc::{Caller, Fault};

use crate::app::Owner;
use crate::app::erase::Progress;
use crate::app::list::{List, Page};
use crate::app::read_state::Done;
use crate::domain::notification::Changed;
use crate::domain::{Actor, Filter, Notification, NotificationType, Sequence};

/// The caller as the owner of a feed: nobody reads another's.
pub(crate) fn owner(caller: &Caller) -> Owner {
    Owner { org: caller.org.clone(), subject: caller.subject.clone() }
}

pub(crate) fn list(owner: Owner, request: pb::ListNotificationsRequest) -> Result<List, Fault> {
    let kind = kind_of(request.r#type);
    let pb::ListNotificationsRequest { unread_only, include_archived, include_snoozed, .. } = request;
    Ok(List {
        owner,
        filter: Filter { unread_only, kind, include_archived, include_snoozed },
        size: PageSize::of(request.page_size)?,
        page_token: request.page_token,
    })
}

/// The place up to which everything is read; 0 means the end.
pub(crate) fn through(up_to_sequence: i64) -> Sequence {
    if up_to_sequence == 0 { Sequence::END } else { Sequence::new(up_to_sequence) }
}

/// A type of the contract; none if it is not said.
pub(crate) fn kind_of(kind: i32) -> Option<NotificationType> {
    use NotificationType as Ours;
    use pb::NotificationType as Theirs;
    match Theirs::try_from(kind) {
        Ok(Theirs::Assigned) => Some(Ours::Assigned),
        Ok(Theirs::Mentioned) => Some(Ours::Mentioned),
        Ok(Theirs::Handoff) => Some(Ours::Handoff),
        Ok(Theirs::InternalMessage) => Some(Ours::InternalMessage),
        Ok(Theirs::NoteReply) => Some(Ours::NoteReply),
        Ok(Theirs::Reopened) => Some(Ours::Reopened),
        Ok(Theirs::Escalated) => Some(Ours::Escalated),
        Ok(Theirs::SlaWarning) => Some(Ours::SlaWarning),
        Ok(Theirs::SlaBreach) => Some(Ours::SlaBreach),
        Ok(Theirs::NoReply) => Some(Ours::NoReply),
        Ok(Theirs::Workflow) => Some(Ours::Workflow),
        Ok(Theirs::Offered) => Some(Ours::Offered),
        Ok(Theirs::WebhookDisabled) => Some(Ours::WebhookDisabled),
        Ok(Theirs::Unspecified) | Err(_) => None,
    }
}

fn proto_kind(kind: NotificationType) -> pb::NotificationType {
    use NotificationType as Ours;
    use pb::NotificationType as Theirs;
    match kind {
        Ours::Assigned => Theirs::Assigned,
        Ours::Mentioned => Theirs::Mentioned,
        Ours::Handoff => Theirs::Handoff,
        Ours::InternalMessage => Theirs::InternalMessage,
        Ours::NoteReply => Theirs::NoteReply,
        Ours::Reopened => Theirs::Reopened,
        Ours::Escalated => Theirs::Escalated,
        Ours::SlaWarning => Theirs::SlaWarning,
        Ours::SlaBreach => Theirs::SlaBreach,
        Ours::NoReply => Theirs::NoReply,
        Ours::Workflow => Theirs::Workflow,
        Ours::Offered => Theirs::Offered,
        Ours::WebhookDisabled => Theirs::WebhookDisabled,
    }
}

impl From<Notification> for pb::Notification {
    fn from(entry: Notification) -> Self {
        let id = |id: Option<String>| id.unwrap_or_default();
        Self {
            notification_id: entry.notification_id.to_string(),
            sequence: entry.sequence.number(),
            r#type: proto_kind(entry.kind).into(),
            reason: entry.reason.as_str().to_owned(),
            conversation_id: id(entry.conversation_id.map(|id| id.to_string())),
            note_id: id(entry.note_id.map(|id| id.to_string())),
            actor: entry.actor.map(common::Actor::from),
            occur_time: Some(proto_time(entry.occur_time)),
            create_time: Some(proto_time(entry.create_time)),
            read_time: entry.handling.read_time.map(proto_time),
            archive_time: entry.handling.archive_time.map(proto_time),
            snooze_until_time: entry.handling.snooze_until_time.map(proto_time),
        }
    }
}

impl From<Done> for pb::ReadState {
    fn from(done: Done) -> Self {
        let state = |it: Changed| pb::NotificationState {
            notification_id: it.notification_id.to_string(),
            sequence: it.sequence.number(),
            read_time: it.handling.read_time.map(proto_time),
            archive_time: it.handling.archive_time.map(proto_time),
            snooze_until_time: it.handling.snooze_until_time.map(proto_time),
        };
        Self { unread_count: done.unread, changed: done.changed.into_iter().map(state).collect() }
    }
}

impl From<Actor> for common::Actor {
    fn from(actor: Actor) -> Self {
        Self {
            subject: actor.subject.to_string(),
            role: proto_role(actor.role).into(),
            display_name: actor.name,
        }
    }
}

impl From<Page> for pb::ListNotificationsResponse {
    fn from(page: Page) -> Self {
        Self {
            notifications: page.notifications.into_iter().map(pb::Notification::from).collect(),
            next_page_token: page.next_page_token,
        }
    }
}

impl From<Progress> for pb::EraseConversationsResponse {
    fn from(progress: Progress) -> Self {
        let count = |it: erasure::Removed| common::ErasedCount { kind: it.kind, count: it.count };
        Self { done: progress.done, removed: progress.removed.into_iter().map(count).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_crosses_the_wire_and_back() {
        for kind in NotificationType::ALL {
            assert_eq!(kind_of(proto_kind(kind).into()), Some(kind));
        }
        assert_eq!((kind_of(0), kind_of(99)), (None, None));
    }

    #[test]
    fn no_sequence_means_everything() {
        assert_eq!((through(0), through(7)), (Sequence::END, Sequence::new(7)));
    }
}
