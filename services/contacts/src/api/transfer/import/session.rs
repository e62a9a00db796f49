//! One import, at a place of its file: bytes to records, records to rows, rows to batches.

use std::sync::Arc;
use std::time::Duration;

use audit::Origin;
use kernel::{OrgId, Role, Timestamp};
use proto::contacts::v1 as pb;
use proto::contacts::v1::import_contacts_response::Frame;
use rpc::{Call, Fault};
use serde::{Deserialize, Serialize};
use tonic::Code;
use uuid::Uuid;

use crate::app::{App, ImportRows, Imported};
use crate::domain::Actor;
use crate::domain::transfer::{Counts, Manner, Rejection, RejectionReason, Row};
use crate::wire::activity::by;
use crate::wire::transfer::{
    Columns, Content, FileFormat, ImportStart, Place, Record, Records, guess_delimiter, import, proto_counts,
    proto_rejection, read_cells, read_line,
};

const KIND: &str = "contacts.import";

/// Rows of a batch.
const ROWS: usize = 200;
/// Bytes of a batch.
const BYTES: usize = 1 << 20;
/// A header is looked for in so many bytes.
const HEADER: usize = 64 * 1024;
/// The longest token that is taken back.
const LONGEST_TOKEN: usize = 4_096;
/// How often a batch is tried while the database does not answer, and how long to wait before the second time.
const TRIES: u32 = 3;
const WAIT: Duration = Duration::from_millis(250);

/// What a resume token holds: all that is known behind the last batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    import_id: Uuid,
    start: ImportStart,
    columns: Option<Vec<String>>,
    place: Place,
    counts: Counts,
}

/// A record without its content, and what it says.
type Read = (Record, Result<Row, Rejection>);

/// One import.
pub(super) struct Session {
    app: Arc<App>,
    org: OrgId,
    origin: Origin,
    by: Actor,
    may_define: bool,
    cursor: Cursor,
    columns: Option<Columns>,
    /// None until it is known what is between cells.
    records: Option<Records>,
    /// What came and was not read yet, from `read` on.
    bytes: Vec<u8>,
    read: usize,
    batch: Vec<Read>,
    batch_bytes: usize,
    flush: bool,
    ended: bool,
}

impl Session {
    /// Begins, or goes on where a token says.
    pub(super) async fn begin(
        app: Arc<App>,
        call: &Call,
        start: &pb::ContactImportStart,
    ) -> Result<Self, Fault> {
        let org = call.caller.org.clone();
        let resumed = !start.resume_token.is_empty();
        let cursor = if resumed {
            let opened = app.seal().open(KIND, org.as_str().as_bytes(), &start.resume_token);
            opened.map_err(|malformed| malformed.at("start.resume_token"))?
        } else {
            let (start, counts) = (import(start)?, Counts::default());
            Cursor { import_id: app.new_id(), start, columns: None, place: Place::BEGINNING, counts }
        };
        let origin = runtime::origin(call).of_request(Some(cursor.import_id));
        if !resumed {
            app.begin_import(&org, &origin, cursor.import_id, cursor.start.dry_run).await?;
        }
        let columns = cursor.columns.as_deref().and_then(Columns::again);
        let records = records(&cursor);
        let may_define = call.caller.role == Role::Admin;
        Ok(Self {
            app,
            org,
            origin,
            by: by(&call.caller),
            may_define,
            cursor,
            columns,
            records,
            bytes: Vec::new(),
            read: 0,
            batch: Vec::new(),
            batch_bytes: 0,
            flush: false,
            ended: false,
        })
    }

    pub(super) fn import_id(&self) -> String {
        self.cursor.import_id.to_string()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.app.now()
    }

    pub(super) fn counts(&self) -> Counts {
        self.cursor.counts
    }

    /// Whether rows wait for more of them.
    pub(super) fn waits(&self) -> bool {
        !self.batch.is_empty()
    }

    /// Lets the rows that wait go in with the next [`advance`](Self::advance).
    pub(super) fn flush_next(&mut self) {
        self.flush = true;
    }

    /// More of the file.
    pub(super) fn take(&mut self, bytes: Vec<u8>) {
        self.bytes.drain(..self.read);
        self.read = 0;
        if self.bytes.is_empty() {
            self.bytes = bytes;
        } else {
            self.bytes.extend_from_slice(&bytes);
        }
    }

    /// The end of the file.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Whether the end of the file came.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Goes on until there is something to tell, or nothing more to do with what came.
    pub(super) async fn advance(&mut self) -> Result<Option<Frame>, Fault> {
        while let Some(record) = self.next_record() {
            if self.columns.is_none() && self.cursor.start.format == FileFormat::Csv {
                return self.header(record).await.map(Some);
            }
            // A megabyte may have been looked through before a quote proved open, and for the next line again.
            let looked_far = matches!(record.content, Content::Unreadable(_));
            self.add(record);
            if looked_far {
                tokio::task::yield_now().await;
            }
            if self.batch.len() >= ROWS || self.batch_bytes >= BYTES {
                return self.commit().await.map(Some);
            }
        }
        let is_csv = self.cursor.start.format == FileFormat::Csv;
        if self.ended && is_csv && self.columns.is_none() {
            return Err(Fault::invalid("header", "is missing: the file is empty"));
        }
        let due = self.ended || std::mem::take(&mut self.flush);
        if due && self.waits() { self.commit().await.map(Some) } else { Ok(None) }
    }

    /// Leaves a record that all is in.
    pub(super) async fn finish(&self) -> Result<(), Fault> {
        let Cursor { import_id, start, .. } = &self.cursor;
        Ok(self.app.finish_import(&self.org, &self.origin, *import_id, start.dry_run).await?)
    }

    /// A frame with what is needed to go on behind it.
    pub(super) fn answer(&self, frame: Frame) -> pb::ImportContactsResponse {
        let token = self.app.seal().seal(KIND, self.org.as_str().as_bytes(), &self.cursor);
        let resume_token = if token.len() <= LONGEST_TOKEN { token } else { String::new() };
        pb::ImportContactsResponse {
            resume_token,
            resume_offset: i64::try_from(self.cursor.place.offset).unwrap_or(i64::MAX),
            frame: Some(frame),
        }
    }

    fn next_record(&mut self) -> Option<Record> {
        if self.records.is_none() {
            let rest = &self.bytes[self.read..];
            let known =
                self.ended || rest.len() >= HEADER || rest.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
            if !known {
                return None;
            }
            self.cursor.start.delimiter = Some(guess_delimiter(rest));
            self.records = records(&self.cursor);
        }
        let records = self.records.as_mut()?;
        let mut rest = &self.bytes[self.read..];
        let record = records.next(&mut rest, self.ended);
        self.read = self.bytes.len() - rest.len();
        record
    }

    async fn header(&mut self, record: Record) -> Result<Frame, Fault> {
        let cells = match &record.content {
            Content::Cells(cells) => cells,
            Content::Unreadable(why) => return Err(Fault::invalid("header", *why)),
            Content::Line(_) => return Err(Fault::internal("a line is no header")),
        };
        let columns = Columns::of_header(cells)?;
        let unknown = self.app.undefined(&self.org, columns.attributes()).await?;
        if !unknown.is_empty() {
            let unknown: Vec<&str> = unknown.iter().map(|key| key.as_str()).collect();
            let description = format!("has attributes that are not defined: {}", unknown.join(", "));
            return Err(Fault::invalid("header", description));
        }
        let names = columns.names();
        self.columns = Some(columns);
        self.cursor.columns = Some(names.clone());
        self.step();
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Ok(Frame::Header(pb::ContactImportHeader {
            columns: names,
            delimiter: self
                .cursor
                .start
                .delimiter
                .map(|byte| char::from(byte).to_string())
                .unwrap_or_default(),
            offset: number(record.offset),
            length: number(record.length),
        }))
    }

    /// Adds what a record says to the batch; blank ones say nothing.
    fn add(&mut self, mut record: Record) {
        let replace = self.cursor.start.replace;
        let content = std::mem::replace(&mut record.content, Content::Unreadable(""));
        let row = match (&content, &self.columns) {
            (Content::Unreadable(why), _) => Some(Err(Rejection::of(RejectionReason::Unreadable, "", *why))),
            (Content::Line(line), _) => read_line(line, replace),
            (Content::Cells(cells), Some(columns)) => read_cells(columns, cells, replace),
            (Content::Cells(_), None) => None,
        };
        if let Some(row) = row {
            self.batch_bytes += usize::try_from(record.length).unwrap_or(usize::MAX);
            self.batch.push((record, row));
        }
    }

    /// Lets the batch go in, and tells what became of it.
    async fn commit(&mut self) -> Result<Frame, Fault> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let mut rejected = Vec::new();
        let mut counts = self.cursor.counts;
        let mut rows = batch.into_iter().peekable();
        while rows.peek().is_some() {
            let mut run: Vec<Row> = Vec::new();
            let mut records: Vec<(Record, Option<Rejection>)> = Vec::new();
            while let Some((record, row)) = rows.next_if(|(_, row)| match (row, run.first()) {
                (Ok(row), Some(first)) => row.is_alike(first),
                _ => true,
            }) {
                match row {
                    Ok(row) => {
                        run.push(row);
                        records.push((record, None));
                    }
                    Err(rejection) => records.push((record, Some(rejection))),
                }
            }
            let imported = self.import(run).await?;
            counts.lists_created += imported.lists_created;
            let mut results = imported.results.into_iter();
            for (record, rejection) in records {
                let result = match rejection {
                    Some(rejection) => Err(rejection),
                    None => {
                        results.next().ok_or_else(|| Fault::internal("fewer rows came back than went in"))?
                    }
                };
                counts.add(&result);
                rejected.extend(result.err().map(|rejection| proto_rejection(&record, rejection)));
            }
        }
        self.cursor.counts = counts;
        self.step();
        let counts = Some(proto_counts(counts));
        Ok(Frame::Progress(pb::ContactImportProgress { counts, rejected }))
    }

    /// Rows of one kind. While the database does not answer, they are tried again.
    async fn import(&self, rows: Vec<Row>) -> Result<Imported, Fault> {
        if rows.is_empty() {
            return Ok(Imported::default());
        }
        let ImportStart { mode, replace, dry_run, .. } = self.cursor.start;
        let manner = Manner { mode, replace, may_define: self.may_define };
        let rows = ImportRows { rows: rows.into(), manner, dry_run, by: self.by.clone() };
        let mut tried = 1;
        loop {
            let imported = self.app.import_rows(&self.org, &self.origin, &rows).await.map_err(Fault::from);
            match imported {
                Err(fault) if fault.code() == Code::Unavailable && tried < TRIES => {
                    tokio::time::sleep(WAIT * tried).await;
                    tried += 1;
                }
                imported => return imported,
            }
        }
    }

    /// What was read is dealt with.
    fn step(&mut self) {
        self.cursor.place = self.records.as_ref().map_or(self.cursor.place, Records::boundary);
    }
}

/// The records from a place on, once it is known how they are written.
fn records(cursor: &Cursor) -> Option<Records> {
    match cursor.start.format {
        FileFormat::JsonLines => Some(Records::lines(cursor.place)),
        FileFormat::Csv => cursor.start.delimiter.map(|delimiter| Records::csv(delimiter, cursor.place)),
    }
}
