//! The file that leaves: rows as lines, kind by kind, each kind by its keys. Nothing is held but the rows of one read.

use std::sync::Arc;

use audit::Event;
use db::{DbError, Tx};
use kernel::OrgId;
use proto::common::v1::{ClosingReason, StreamClosing, StreamOpened};
use proto::notes::v1::export_notes_response::Frame;
use proto::notes::v1::{ExportNotesResponse, NoteExportFinished};
use rpc::convert::proto_time;
use rpc::stream::{Ends, Live};
use rpc::{Call, Fault};
use tonic::{Code, Status};

use crate::app::App;
use crate::domain::transfer::{Cursor, Kind, Line, Value, kind_named};
use crate::error::Error;
use crate::store;

/// What resume tokens are sealed as.
const TOKEN: &str = "notes.export";
/// A frame ends with the line that makes it longer than this. Clients refuse answers of more than 4 MiB.
const FRAME_BYTES: usize = 128 * 1024;

/// One export as its stream sees it.
struct Leaving {
    app: Arc<App>,
    org: OrgId,
    ends: Ends,
    at: Cursor,
}

impl App {
    /// Writes everything that the organization has here, or what is left of it behind a token. What leaves is in the audit trail
    /// before the first byte.
    ///
    /// # Errors
    /// [`Fault`] of a token that is not of this stream, or of the database. Later ones are in the stream.
    pub async fn export_notes(
        self: &Arc<Self>,
        call: &Call,
        token: &str,
    ) -> Result<Live<ExportNotesResponse>, Fault> {
        let org = call.caller.org.clone();
        let (at, action) = match token {
            "" => (Cursor::start(self.clock.new_id()), "note_export.begin"),
            token => {
                let opened = self.seal.open(TOKEN, org.as_str().as_bytes(), token);
                (opened.map_err(|malformed| malformed.at("resume_token"))?, "note_export.resume")
            }
        };
        self.tell_trail(&org, runtime::origin(call), Event::new(action, at.export)).await?;
        let ends = Ends::of(call, self.streams_end.clone());
        Ok(Box::pin(Leaving { app: Arc::clone(self), org, ends, at }.stream()))
    }
}

impl Leaving {
    fn stream(mut self) -> impl futures::Stream<Item = Result<ExportNotesResponse, Status>> + Send {
        async_stream::stream! {
            let open_time = Some(proto_time(self.app.clock.now()));
            yield Ok(self.frame(Frame::Opened(StreamOpened { open_time })));
            while let Some(kind) = self.at.kind.as_deref().and_then(kind_named) {
                if let Some(reason) = self.ends.due() {
                    yield Ok(self.closing(reason));
                    return;
                }
                let lines = match self.read(kind).await {
                    Ok(lines) => lines,
                    Err(error) => {
                        yield self.failed(error);
                        return;
                    }
                };
                let ended = (lines.len() as i64) < kind.at_once;
                let mut chunk = String::new();
                for line in lines {
                    chunk.push_str(&line.print());
                    self.at.behind(&line);
                    if chunk.len() > FRAME_BYTES {
                        yield Ok(self.frame(Frame::Chunk(std::mem::take(&mut chunk).into_bytes())));
                    }
                }
                if ended {
                    self.at.turn(kind);
                }
                if !chunk.is_empty() {
                    yield Ok(self.frame(Frame::Chunk(chunk.into_bytes())));
                }
            }
            yield Ok(self.frame(Frame::Finished(NoteExportFinished { lines: self.at.lines })));
        }
    }

    async fn read(&self, kind: &'static Kind) -> Result<Vec<Line>, Error> {
        let after = self.at.key(kind);
        let read = self.app.db.read(&self.org, move |tx| Box::pin(list(tx, kind, after)));
        Ok(read.await?)
    }

    fn frame(&self, frame: Frame) -> ExportNotesResponse {
        let resume_token = self.app.seal.seal(TOKEN, self.org.as_str().as_bytes(), &self.at);
        ExportNotesResponse { resume_token, frame: Some(frame), lines: self.at.lines }
    }

    fn closing(&self, reason: ClosingReason) -> ExportNotesResponse {
        self.frame(Frame::Closing(StreamClosing { reason: reason.into() }))
    }

    fn failed(&self, error: Error) -> Result<ExportNotesResponse, Status> {
        let fault = Fault::from(error);
        match fault.code() {
            Code::Unavailable => Ok(self.closing(ClosingReason::Unavailable)),
            _ => Err(fault.into()),
        }
    }
}

async fn list(
    tx: &mut Tx,
    kind: &'static Kind,
    after: Option<Vec<Option<Value>>>,
) -> Result<Vec<Line>, DbError> {
    store::transfer::list(tx, kind, after.as_deref(), kind.at_once).await
}
