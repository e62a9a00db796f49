//! The stream of one export: steps of the use case, written as pieces of the file.

use std::sync::Arc;

use async_stream::stream;
use audit::Origin;
use futures::Stream;
use kernel::OrgId;
use proto::common::v1::{ClosingReason, StreamClosing, StreamOpened};
use proto::contacts::v1 as pb;
use proto::contacts::v1::export_contacts_response::Frame;
use rpc::convert::proto_time;
use rpc::stream::Ends;
use rpc::{Call, Fault};
use serde::{Deserialize, Serialize};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::app::{App, ExportFilter, ExportPlace, Exported};
use crate::domain::{Definition, Key};
use crate::wire::transfer::{Column, Columns, ExportStart, FileFormat, Writer, write_definition, write_list};

const KIND: &str = "contacts.export";

/// Bytes of a piece, about: it ends behind the row which is the first beyond it.
const PIECE: usize = 64 * 1024;

/// What a resume token holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    export_id: Uuid,
    place: ExportPlace,
    contacts: i64,
}

/// One export, at a place of its file.
pub(super) struct Export {
    app: Arc<App>,
    org: OrgId,
    filter: ExportFilter,
    format: FileFormat,
    writer: Writer,
    cursor: Cursor,
    /// What a token must not outlive a change of.
    binding: String,
}

/// The bytes of a piece, and where it ends.
struct Piece {
    bytes: Vec<u8>,
    place: ExportPlace,
    contacts: i64,
}

impl Export {
    /// Leaves a record, and is then ready to write.
    pub(super) async fn begin(app: Arc<App>, call: &Call, start: ExportStart) -> Result<Self, Fault> {
        let org = call.caller.org.clone();
        let keys: Vec<Key> = app.all_definitions(&org).await?.into_iter().map(|one| one.key).collect();
        let columns = Columns::to_write(&start.columns, &keys)?;
        let (format, tag, list) = (start.format, start.tag, start.list);
        let whole = format == FileFormat::JsonLines;
        let filter = ExportFilter {
            definitions: whole && !columns.attributes().is_empty(),
            lists: whole && columns.has(&Column::Lists),
            memberships: columns.has(&Column::Lists),
            tag,
            list,
        };
        let raw = start.raw_cells;
        // With the columns as they came out: were an attribute defined meanwhile, a CSV would go on with other cells than its header.
        let binding = format!("{org}\n{format:?}\n{raw}\n{:?}\n{filter:?}", columns.names());
        let resumed = !start.resume_token.is_empty();
        let cursor = if resumed {
            let opened = app.seal().open(KIND, binding.as_bytes(), &start.resume_token);
            opened.map_err(|malformed| malformed.at("resume_token"))?
        } else {
            Cursor { export_id: app.new_id(), place: ExportPlace::Beginning, contacts: 0 }
        };
        let origin: Origin = runtime::origin(call).of_request(Some(cursor.export_id));
        app.begin_export(&org, &origin, cursor.export_id, resumed, &filter).await?;
        let writer = Writer::new(format, columns, raw);
        Ok(Self { app, org, filter, format, writer, cursor, binding })
    }

    /// Everything from here on. Each step is read when the reader has room for it.
    pub(super) fn frames(
        mut self,
        ends: Ends,
    ) -> impl Stream<Item = Result<pb::ExportContactsResponse, Status>> + Send {
        stream! {
            let open_time = Some(proto_time(self.app.now()));
            yield Ok(self.frame(Frame::Opened(StreamOpened { open_time })));
            while self.cursor.place != ExportPlace::End {
                if let Some(reason) = ends.due() {
                    yield Ok(self.closing(reason));
                    return;
                }
                let pieces = match self.step().await {
                    Ok(pieces) => pieces,
                    Err(fault) if matches!(fault.code(), Code::Unavailable | Code::DeadlineExceeded) => {
                        yield Ok(self.closing(ClosingReason::Unavailable));
                        return;
                    }
                    Err(fault) => {
                        yield Err(fault.into());
                        return;
                    }
                };
                for Piece { bytes, place, contacts } in pieces {
                    self.cursor.place = place;
                    self.cursor.contacts += contacts;
                    if !bytes.is_empty() {
                        yield Ok(self.frame(Frame::Chunk(bytes)));
                    }
                }
            }
            let contacts = self.cursor.contacts;
            yield Ok(self.frame(Frame::Finished(pb::ContactExportFinished { contacts })));
        }
    }

    /// The pieces of the next step, at least one.
    async fn step(&self) -> Result<Vec<Piece>, Fault> {
        let step = self.app.export_step(&self.org, &self.filter, self.cursor.place).await?;
        let mut pieces = Vec::new();
        let mut piece = Piece { bytes: Vec::new(), place: step.next, contacts: 0 };
        match step.what {
            Exported::Definitions(all) => {
                self.writer.header(&mut piece.bytes);
                self.definitions(&all, true, &mut piece.bytes);
            }
            Exported::Archived(all) => self.definitions(&all, false, &mut piece.bytes),
            Exported::Lists(lists) => lists.iter().for_each(|list| write_list(list, &mut piece.bytes)),
            Exported::Contacts(contacts) => {
                for (contact, lists) in contacts {
                    if piece.bytes.len() >= PIECE {
                        let next = Piece { bytes: Vec::new(), place: step.next, contacts: 0 };
                        pieces.push(std::mem::replace(&mut piece, next));
                    }
                    self.writer.contact(&contact, &lists, &mut piece.bytes);
                    piece.contacts += 1;
                    piece.place = ExportPlace::Contact(contact.contact_id);
                }
                piece.place = step.next;
            }
        }
        pieces.push(piece);
        Ok(pieces)
    }

    fn definitions(&self, all: &[Definition], values_follow: bool, into: &mut Vec<u8>) {
        if self.format == FileFormat::Csv {
            return;
        }
        let written = |one: &&Definition| self.writer.columns().has(&Column::Attribute(one.key.clone()));
        all.iter().filter(written).for_each(|one| write_definition(one, values_follow, into));
    }

    fn closing(&self, reason: ClosingReason) -> pb::ExportContactsResponse {
        self.frame(Frame::Closing(StreamClosing { reason: reason.into() }))
    }

    fn frame(&self, frame: Frame) -> pb::ExportContactsResponse {
        let resume_token = self.app.seal().seal(KIND, self.binding.as_bytes(), &self.cursor);
        pb::ExportContactsResponse { resume_token, contacts: self.cursor.contacts, frame: Some(frame) }
    }
}
