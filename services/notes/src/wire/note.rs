//! Notes.

use db::Retry;
use kernel::PageSize;
use proto::notes::v1 as pb;
use rpc::convert::{display_name, etag, expected_version, id_of, proto_role, proto_time};
use rpc::{Call, Caller, Fault};

use crate::app::{Edit, NewNote, Page, PageRequest};
use crate::domain::{Author, Body, Kind, Mention, Note, Outcome, Refusal, handles_in};
use crate::error::Error;

/// Reads a request to write a note, and the key of its retries.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn new_note(call: &Call, request: pb::CreateNoteRequest) -> Result<(NewNote, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let conversation_id = id_of("conversation_id", &request.conversation_id)?;
    let body = Body::parse(request.body)?;
    let handles = handles_in(body.as_str())?;
    Ok((NewNote { conversation_id, author: author(&call.caller), body, handles }, retry))
}

/// Reads a request to change a note, and the key of its retries.
///
/// # Errors
/// INVALID_ARGUMENT naming the field, or the path of the update mask.
pub fn edit(call: &Call, request: pb::UpdateNoteRequest) -> Result<(Edit, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    // The only thing that can be changed; a mask which names nothing means it too.
    let paths = request.update_mask.map(|mask| mask.paths).unwrap_or_default();
    if let Some(path) = paths.into_iter().find(|path| path != "body") {
        return Err(Error::UnknownPath { path }.into());
    }
    let note_id = id_of("note_id", &request.note_id)?;
    let body = Body::parse(request.body)?;
    let handles = handles_in(body.as_str())?;
    let expected = expected_version(&request.etag);
    Ok((Edit { note_id, editor: author(&call.caller), body, handles, expected }, retry))
}

/// Reads a request for a page of notes.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn page(request: pb::ListNotesRequest) -> Result<PageRequest, Fault> {
    let conversation_id = id_of("conversation_id", &request.conversation_id)?;
    Ok(PageRequest { conversation_id, size: PageSize::of(request.page_size)?, token: request.page_token })
}

/// A page for the wire.
pub fn listed(page: Page) -> pb::ListNotesResponse {
    let notes = page.notes.into_iter().map(note).collect();
    pb::ListNotesResponse { notes, next_page_token: page.next_token }
}

/// A note for the wire.
pub fn note(note: Note) -> pb::Note {
    pb::Note {
        note_id: note.note_id.to_string(),
        etag: etag(note.version),
        conversation_id: note.conversation_id.to_string(),
        author: Some(proto::common::v1::Actor {
            subject: note.author.subject.into(),
            role: proto_role(note.author.role).into(),
            display_name: note.author.display_name,
        }),
        body: note.body.into(),
        mentions: note.mentions.into_iter().map(mention).collect(),
        revision: i32::try_from(note.revision).unwrap_or(i32::MAX),
        create_time: Some(proto_time(note.create_time)),
        update_time: Some(proto_time(note.update_time)),
    }
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

fn author(caller: &Caller) -> Author {
    Author {
        subject: caller.subject.clone(),
        role: caller.role,
        display_name: display_name(caller).to_owned(),
    }
}
