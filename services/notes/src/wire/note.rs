//! Notes.

use db::Retry;
use kernel::{NoteId, PageSize};
use proto::notes::v1 as pb;
use rpc::convert::{display_name, etag, expected_version, id_of, optional_id_of, proto_role, proto_time};
use rpc::{Call, Caller, Fault, update_mask};

use super::handoff;
use super::template::filling;
use crate::app::{Deletion, Edit, On, Page, PageRequest, Text, Writing};
use crate::domain::{
    Author, Body, Kind, Mark, Mention, Note, NoteKind, Outcome, Refusal, Revision, handles_in,
};
use crate::store::lists::Shelf;

/// Reads a request to write a note on a conversation, and the key of its retries.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn new_note(call: &Call, request: pb::CreateNoteRequest) -> Result<(Writing, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let on = On::Conversation(id_of("conversation_id", &request.conversation_id)?);
    let text = text(request.body, request.template)?;
    let reply_to = optional_id_of("reply_to", &request.reply_to)?;
    let handoff = request.handoff.map(handoff::new_handoff).transpose()?;
    Ok((Writing { on, author: author(&call.caller), text, reply_to, handoff }, retry))
}

/// Reads a request to write a note on a contact, and the key of its retries.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn new_contact_note(
    call: &Call,
    request: pb::CreateContactNoteRequest,
) -> Result<(Writing, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let contact_id = id_of("contact_id", &request.contact_id)?;
    let within = optional_id_of("conversation_id", &request.conversation_id)?;
    let text = text(request.body, request.template)?;
    let reply_to = optional_id_of("reply_to", &request.reply_to)?;
    let on = On::Contact { contact_id, within };
    Ok((Writing { on, author: author(&call.caller), text, reply_to, handoff: None }, retry))
}

fn text(body: String, template: Option<pb::NoteTemplateFilling>) -> Result<Text, Fault> {
    match template {
        Some(_) if !body.is_empty() => {
            Err(Fault::invalid("body", "must be empty when a template is filled in: the text comes of it"))
        }
        Some(template) => Ok(Text::Filled(filling(template)?)),
        None => {
            let body = Body::parse(body)?;
            let handles = handles_in(body.as_str())?;
            Ok(Text::Written(body, handles))
        }
    }
}

/// Reads a request to change a note, and the key of its retries.
///
/// # Errors
/// INVALID_ARGUMENT naming the field, or the path of the update mask.
pub fn edit(call: &Call, request: pb::UpdateNoteRequest) -> Result<(Edit, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    // The only thing that can be changed; a mask which names nothing means it too.
    update_mask::paths(request.update_mask.as_ref(), &[("body", true)])?;
    let note_id = id_of("note_id", &request.note_id)?;
    let body = Body::parse(request.body)?;
    let handles = handles_in(body.as_str())?;
    let expected = expected_version(&request.etag);
    Ok((Edit { note_id, editor: author(&call.caller), body, handles, expected }, retry))
}

/// Reads a request to delete a note, and the key of its retries.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn deletion(call: &Call, request: pb::DeleteNoteRequest) -> Result<(Deletion, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let note_id = id_of("note_id", &request.note_id)?;
    let expected = expected_version(&request.etag);
    Ok((Deletion { note_id, by: author(&call.caller), expected }, retry))
}

/// Reads a request for a page of a conversation's notes.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn page(request: pb::ListNotesRequest) -> Result<PageRequest, Fault> {
    let shelf = Shelf::Conversation(id_of("conversation_id", &request.conversation_id)?);
    Ok(PageRequest { shelf, size: PageSize::of(request.page_size)?, token: request.page_token })
}

/// Reads a request for a page of a contact's notes.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn contact_page(request: pb::ListContactNotesRequest) -> Result<PageRequest, Fault> {
    let shelf = Shelf::Contact(id_of("contact_id", &request.contact_id)?);
    Ok(PageRequest { shelf, size: PageSize::of(request.page_size)?, token: request.page_token })
}

/// Reads a request for a page of something that one note has.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn page_of_note(note_id: &str, page_size: i32) -> Result<(NoteId, PageSize), Fault> {
    Ok((id_of("note_id", note_id)?, PageSize::of(page_size)?))
}

/// The notes of a page for the wire.
pub fn notes(page: Page) -> (Vec<pb::Note>, String) {
    (page.notes.into_iter().map(note).collect(), page.next_token)
}

/// A note for the wire.
pub fn note(note: Note) -> pb::Note {
    pb::Note {
        kind: kind(note.kind()).into(),
        note_id: note.note_id.to_string(),
        etag: etag(note.version),
        conversation_id: text_of(note.place.conversation_id()),
        author: Some(actor(note.author)),
        body: note.body.into(),
        mentions: note.mentions.into_iter().map(mention).collect(),
        revision: number(note.revision),
        create_time: Some(proto_time(note.create_time)),
        update_time: Some(proto_time(note.update_time)),
        contact_id: note.place.contact_id().to_string(),
        origin_conversation_id: text_of(note.place.origin()),
        reply_to: text_of(note.reply.map(|reply| reply.to)),
        thread_id: text_of(note.reply.map(|reply| reply.thread)),
        pin: note.pin.map(|Mark { by, time }| pb::NotePin {
            actor: Some(actor(by)),
            pin_time: Some(proto_time(time)),
        }),
        deletion: note.deletion.map(|Mark { by, time }| pb::NoteDeletion {
            actor: Some(actor(by)),
            delete_time: Some(proto_time(time)),
        }),
        handoff: note.handoff.map(handoff::handoff),
    }
}

/// A kind of note for the wire.
pub fn kind(kind: NoteKind) -> pb::NoteKind {
    match kind {
        NoteKind::Conversation => pb::NoteKind::Conversation,
        NoteKind::Contact => pb::NoteKind::Contact,
        NoteKind::Handoff => pb::NoteKind::Handoff,
    }
}

/// A text of a note for the wire.
pub fn revision(revision: Revision) -> pb::NoteRevision {
    pb::NoteRevision {
        revision: number(revision.revision),
        actor: Some(actor(revision.actor)),
        body: revision.body.into(),
        write_time: Some(proto_time(revision.write_time)),
    }
}

/// A person for the wire.
pub(super) fn actor(author: Author) -> proto::common::v1::Actor {
    proto::common::v1::Actor {
        subject: author.subject.into(),
        role: proto_role(author.role).into(),
        display_name: author.display_name,
    }
}

fn text_of(id: Option<impl ToString>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub(super) fn number(revision: i64) -> i32 {
    i32::try_from(revision).unwrap_or(i32::MAX)
}

fn mention(mention: Mention) -> pb::Mention {
    let kind = match mention.kind {
        None => pb::MentionKind::Unspecified,
        Some(Kind::Agent) => pb::MentionKind::Agent,
        Some(Kind::Team) => pb::MentionKind::Team,
    };
    let (outcome, refusal, subjects) = match mention.outcome {
        Outcome::Notified(subjects) => {
            (pb::MentionOutcome::Notified, pb::MentionRefusal::Unspecified, subjects)
        }
        Outcome::Refused(why) => (pb::MentionOutcome::Refused, refusal(why), Vec::new()),
    };
    pb::Mention {
        handle: mention.handle.to_string(),
        kind: kind.into(),
        outcome: outcome.into(),
        refusal: refusal.into(),
        subjects: subjects.into_iter().map(String::from).collect(),
    }
}

fn refusal(why: Refusal) -> pb::MentionRefusal {
    match why {
        Refusal::Unknown => pb::MentionRefusal::Unknown,
        Refusal::Author => pb::MentionRefusal::Author,
        Refusal::EmptyTeam => pb::MentionRefusal::EmptyTeam,
        Refusal::AlreadyNotified => pb::MentionRefusal::AlreadyNotified,
    }
}

/// The caller, as whoever writes, pins or deletes.
pub fn author(caller: &Caller) -> Author {
    Author {
        subject: caller.subject.clone(),
        role: caller.role,
        display_name: display_name(caller).to_owned(),
    }
}
