//! What webhooks of the organization are told of contacts: which, and what became of them. Neither names nor addresses.

use announce::Happening;
use audit::Origin;
use kernel::{Clock, ContactId, Timestamp};
use proto::notifications::v1::webhook_event::Change;
use proto::notifications::v1::{WebhookContactChange, WebhookEventType};

use crate::domain::Merge;

/// Something that happened to a contact by itself.
pub(crate) fn of_contact(
    clock: &Clock,
    origin: &Origin,
    kind: WebhookEventType,
    contact: ContactId,
    time: Timestamp,
) -> Happening {
    let change = WebhookContactChange { contact_id: contact.to_string(), ..WebhookContactChange::default() };
    happened(clock, origin, kind, contact, change, time)
}

/// A merge, or the end of one.
pub(crate) fn of_merge(
    clock: &Clock,
    origin: &Origin,
    kind: WebhookEventType,
    merge: &Merge,
    time: Timestamp,
) -> Happening {
    let change = WebhookContactChange {
        contact_id: merge.from.to_string(),
        into_contact_id: merge.into.to_string(),
        merge_id: merge.merge_id.to_string(),
    };
    happened(clock, origin, kind, merge.from, change, time)
}

fn happened(
    clock: &Clock,
    origin: &Origin,
    kind: WebhookEventType,
    contact: ContactId,
    change: WebhookContactChange,
    time: Timestamp,
) -> Happening {
    Happening {
        event: clock.new_id().into(),
        kind,
        time,
        actor: announce::by(origin),
        change: Change::Contact(change),
        key: contact.as_uuid(),
        private_text: None,
    }
}
