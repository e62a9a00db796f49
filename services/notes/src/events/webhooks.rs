//! What webhooks of the organization are told: that a note was written, changed or deleted. What it says is apart, and leaves this service
//! only where a webhook is to get it.

use announce::Happening;
use kernel::{Clock, Timestamp};
use proto::common::v1::Actor;
use proto::notifications::v1::webhook_event::Change;
use proto::notifications::v1::{WebhookEventType, WebhookNoteChange, WebhookNoteKind};
use rpc::convert::proto_role;

use crate::domain::{Author, Note, Place};

/// A note was written.
pub fn of_new_note(clock: &Clock, note: &Note) -> Happening {
    let text = Some(note.body.as_str().to_owned());
    of_note(clock, WebhookEventType::NoteCreated, note, &note.author, note.create_time, text)
}

/// A note has another text.
pub fn of_edit(clock: &Clock, note: &Note, editor: &Author) -> Happening {
    let text = Some(note.body.as_str().to_owned());
    of_note(clock, WebhookEventType::NoteUpdated, note, editor, note.update_time, text)
}

/// A note was deleted.
pub fn of_deletion(clock: &Clock, note: &Note, by: &Author, time: Timestamp) -> Happening {
    of_note(clock, WebhookEventType::NoteDeleted, note, by, time, None)
}

fn of_note(
    clock: &Clock,
    kind: WebhookEventType,
    note: &Note,
    by: &Author,
    time: Timestamp,
    private_text: Option<String>,
) -> Happening {
    let change = WebhookNoteChange {
        note_id: note.note_id.to_string(),
        kind: match note.place {
            Place::Contact { .. } => WebhookNoteKind::Contact,
            Place::Conversation { .. } if note.handoff.is_some() => WebhookNoteKind::Handoff,
            Place::Conversation { .. } => WebhookNoteKind::Conversation,
        }
        .into(),
        conversation_id: note.place.leads_to().map(|id| id.to_string()).unwrap_or_default(),
        contact_id: note.place.contact_id().to_string(),
        revision: note.revision,
    };
    let actor = Actor {
        subject: by.subject.to_string(),
        role: proto_role(by.role).into(),
        display_name: by.display_name.clone(),
    };
    Happening {
        event: clock.new_id().into(),
        kind,
        time,
        actor: Some(actor),
        change: Change::Note(change),
        // What it is on: with that it is erased.
        key: match note.place {
            Place::Conversation { conversation_id, .. } => conversation_id.as_uuid(),
            Place::Contact { contact_id, .. } => contact_id.as_uuid(),
        },
        private_text,
    }
}
