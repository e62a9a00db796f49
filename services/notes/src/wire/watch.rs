//! Changes of notes.

use proto::notes::v1 as pb;
use proto::notes::v1::watch_notes_request::Target as Asked;
use rpc::Fault;
use rpc::convert::{id_of, proto_time};
use rpc::stream::Start;

use crate::domain::Note;
use crate::domain::watch::{Change, ChangeType, Target};

/// Reads a request to follow notes: whose, and from where.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn watch(request: pb::WatchNotesRequest) -> Result<(Target, Start), Fault> {
    let target = match request.target {
        Some(Asked::ConversationId(id)) => Target::Conversation(id_of("conversation_id", &id)?),
        Some(Asked::ContactId(id)) => Target::Contact(id_of("contact_id", &id)?),
        None => return Err(Fault::invalid("target", "one of its fields is required")),
    };
    Ok((target, Start::from(request.start)))
}

/// A change for the wire, with the note as its reader sees it.
pub fn change(change: Change, note: Option<Note>) -> pb::NoteChange {
    let kind = match change.kind {
        ChangeType::Created => pb::NoteChangeType::Created,
        ChangeType::Updated => pb::NoteChangeType::Updated,
        ChangeType::Deleted => pb::NoteChangeType::Deleted,
    };
    pb::NoteChange {
        sequence: change.sequence,
        r#type: kind.into(),
        note_id: change.note_id.to_string(),
        note: note.map(super::note::note),
        change_time: Some(proto_time(change.time)),
    }
}
