//! Everything that an organization has here, as a file and back.

use futures::StreamExt;
use proto::notes::v1 as pb;
use proto::notes::v1::import_notes_request::Frame;
use rpc::Fault;
use tonic::{Status, Streaming};

use crate::app::transfer::import::{Counts, Pieces};
use crate::domain::transfer::{Reason, Rejection, Span};

/// Reads the frames of an import: its resume token, and the pieces of the file behind it.
///
/// # Errors
/// INVALID_ARGUMENT if the first frame is no start; as the stream itself breaks.
pub async fn import(mut frames: Streaming<pb::ImportNotesRequest>) -> Result<(String, Pieces), Status> {
    let first = frames.message().await?.and_then(|request| request.frame);
    let Some(Frame::Start(pb::NoteImportStart { resume_token })) = first else {
        return Err(Fault::invalid("start", "must be the first frame").into());
    };
    let pieces = frames.map(|request| match request?.frame {
        Some(Frame::Chunk(bytes)) => Ok(bytes),
        Some(Frame::Start(_)) | None => Err(Fault::invalid("start", "may be the first frame only").into()),
    });
    Ok((resume_token, Box::pin(pieces)))
}

/// What became of lines, for the wire.
pub fn counts(counts: Counts) -> pb::NoteImportCounts {
    let Counts { created, unchanged, rejected } = counts;
    pb::NoteImportCounts { created, unchanged, rejected }
}

/// A line that was left out, for the wire.
pub fn rejected(span: Span, rejection: Rejection) -> pb::RejectedNoteLine {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let violations = rejection.violations.into_iter().map(|(field, description)| pb::NoteLineViolation {
        field: field.map(Into::into).unwrap_or_default(),
        description: description.into(),
    });
    pb::RejectedNoteLine {
        line: number(span.line),
        offset: number(span.offset),
        length: number(span.length),
        reason: reason(rejection.reason).into(),
        violations: violations.collect(),
    }
}

fn reason(reason: Reason) -> pb::NoteLineRejectionReason {
    match reason {
        Reason::Unreadable => pb::NoteLineRejectionReason::Unreadable,
        Reason::UnknownKind => pb::NoteLineRejectionReason::UnknownKind,
        Reason::InvalidValue => pb::NoteLineRejectionReason::InvalidValue,
        Reason::Conflict => pb::NoteLineRejectionReason::Conflict,
        Reason::NotFound => pb::NoteLineRejectionReason::NotFound,
        Reason::Erased => pb::NoteLineRejectionReason::Erased,
    }
}
