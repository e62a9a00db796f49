//! The messages around a file.

use kernel::Malformed;
use proto::contacts::v1 as pb;
use rpc::Fault;
use rpc::convert::optional_id_of;
use serde::{Deserialize, Serialize};

use super::records::Record;
use crate::domain::transfer::{Counts, Mode, Rejection, RejectionReason};
use crate::domain::{ListId, Tag};
use crate::wire::Broken;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileFormat {
    /// Comma-separated values.
    Csv,
    /// JSON Lines.
    JsonLines,
}

/// How a file shall be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportStart {
    pub(crate) format: FileFormat,
    pub(crate) mode: Mode,
    pub(crate) replace: bool,
    pub(crate) dry_run: bool,
    /// Between cells; none: whichever the header has.
    pub(crate) delimiter: Option<u8>,
}

pub(crate) fn import(start: &pb::ContactImportStart) -> Result<ImportStart, Fault> {
    let mode = match start.mode() {
        pb::ContactImportMode::Unspecified | pb::ContactImportMode::Upsert => Mode::Upsert,
        pb::ContactImportMode::CreateOnly => Mode::CreateOnly,
        pb::ContactImportMode::UpdateOnly => Mode::UpdateOnly,
    };
    Ok(ImportStart {
        format: format(start.format()).map_err(|malformed| malformed.at("start.format"))?,
        mode,
        replace: start.replace,
        dry_run: start.dry_run,
        delimiter: start.delimiter.bytes().next(),
    })
}

/// Which contacts shall be written, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExportStart {
    pub(crate) format: FileFormat,
    pub(crate) columns: Vec<String>,
    pub(crate) tag: Option<Tag>,
    pub(crate) list: Option<ListId>,
    pub(crate) raw_cells: bool,
    pub(crate) resume_token: String,
}

pub(crate) fn export(request: pb::ExportContactsRequest) -> Result<ExportStart, Fault> {
    let mut broken = Broken::default();
    let tag = broken.read("tag", &request.tag, Tag::parse).filter(|_| !request.tag.is_empty());
    broken.refuse()?;
    Ok(ExportStart {
        format: format(request.format()).map_err(|malformed| malformed.at("format"))?,
        tag,
        list: optional_id_of("list_id", &request.list_id)?,
        columns: request.columns,
        raw_cells: request.raw_cells,
        resume_token: request.resume_token,
    })
}

fn format(said: pb::ContactFileFormat) -> Result<FileFormat, Malformed> {
    match said {
        pb::ContactFileFormat::Unspecified => Err(Malformed::new("is required")),
        pb::ContactFileFormat::Csv => Ok(FileFormat::Csv),
        pb::ContactFileFormat::JsonLines => Ok(FileFormat::JsonLines),
    }
}

pub(crate) fn proto_counts(counts: Counts) -> pb::ContactImportCounts {
    let Counts { created, updated, unchanged, rejected, lists_created } = counts;
    pb::ContactImportCounts { created, updated, unchanged, rejected, lists_created }
}

pub(crate) fn proto_rejection(record: &Record, rejection: Rejection) -> pb::RejectedRow {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let reason = match rejection.reason {
        RejectionReason::Unreadable => pb::RowRejectionReason::Unreadable,
        RejectionReason::InvalidValue => pb::RowRejectionReason::InvalidValue,
        RejectionReason::Conflict => pb::RowRejectionReason::Conflict,
        RejectionReason::Exists => pb::RowRejectionReason::Exists,
        RejectionReason::NotFound => pb::RowRejectionReason::NotFound,
        RejectionReason::LimitReached => pb::RowRejectionReason::LimitReached,
        RejectionReason::NotAllowed => pb::RowRejectionReason::NotAllowed,
    };
    let violations = rejection.violations.into_iter();
    pb::RejectedRow {
        line: number(record.line),
        last_line: number(record.last_line),
        offset: number(record.offset),
        length: number(record.length),
        reason: reason.into(),
        violations: violations
            .map(|violation| pb::RowViolation { field: violation.field, description: violation.description })
            .collect(),
    }
}
