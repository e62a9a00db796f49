//! Searches.

use kernel::{PageSize, Subject};
use prost_types::Timestamp as ProtoTime;
use proto::notes::v1 as pb;
use rpc::Fault;
use rpc::convert::{optional_id_of, proto_role, proto_time, time_of};

use super::note::kind;
use crate::app::search::{Hit, Hits, Search};
use crate::domain::search::{Filter, Query, Snippet};
use crate::domain::{Handle, NoteKind};

/// Reads a request to search.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn search(request: pb::SearchNotesRequest) -> Result<Search, Fault> {
    let kind = match request.kind() {
        pb::NoteKind::Unspecified => None,
        pb::NoteKind::Conversation => Some(NoteKind::Conversation),
        pb::NoteKind::Contact => Some(NoteKind::Contact),
        pb::NoteKind::Handoff => Some(NoteKind::Handoff),
    };
    let filter = Filter {
        author: subject("author_subject", &request.author_subject)?,
        conversation_id: optional_id_of("conversation_id", &request.conversation_id)?,
        contact_id: optional_id_of("contact_id", &request.contact_id)?,
        kind,
        handle: handle(&request.mentioned_handle)?,
        told: subject("mentioned_subject", &request.mentioned_subject)?,
        since: time("start_time", request.start_time.as_ref())?,
        until: time("end_time", request.end_time.as_ref())?,
    };
    let (query, size) = (Query::parse(&request.query)?, PageSize::of(request.page_size)?);
    Ok(Search { query, filter, size, token: request.page_token })
}

fn subject(field: &'static str, text: &str) -> Result<Option<Subject>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(Subject::parse(text).map_err(|malformed| malformed.at(field))?))
}

fn handle(text: &str) -> Result<Option<Handle>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let reason = "must be a name as it stands after an @, without the @";
    Handle::parse(text).map(Some).ok_or_else(|| Fault::invalid("mentioned_handle", reason))
}

fn time(field: &str, time: Option<&ProtoTime>) -> Result<Option<kernel::Timestamp>, Fault> {
    time.map(|time| time_of(field, time)).transpose()
}

/// A page of hits for the wire.
pub fn found(page: Hits) -> pb::SearchNotesResponse {
    let hits = page.hits.into_iter().map(hit).collect();
    pb::SearchNotesResponse { hits, next_page_token: page.next_token }
}

fn hit(Hit { note, snippet }: Hit) -> pb::NoteHit {
    pb::NoteHit {
        note_id: note.note_id.to_string(),
        kind: kind(note.kind).into(),
        conversation_id: note.place.conversation_id().map(|id| id.to_string()).unwrap_or_default(),
        contact_id: note.place.contact_id().to_string(),
        author: Some(proto::common::v1::Actor {
            subject: note.author.subject.into(),
            role: proto_role(note.author.role).into(),
            display_name: note.author.display_name,
        }),
        create_time: Some(proto_time(note.create_time)),
        update_time: Some(proto_time(note.update_time)),
        snippet: Some(part(snippet)),
    }
}

fn part(snippet: Snippet) -> pb::NoteSnippet {
    // A snippet has 240 characters at most.
    let number = |characters: usize| i32::try_from(characters).unwrap_or(i32::MAX);
    let highlights = snippet
        .highlights
        .into_iter()
        .map(|place| pb::NoteHighlight { start: number(place.start), end: number(place.end) });
    pb::NoteSnippet {
        highlights: highlights.collect(),
        text: snippet.text,
        cut_before: snippet.cut_before,
        cut_after: snippet.cut_after,
    }
}
