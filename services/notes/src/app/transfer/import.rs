//! The file that comes: pieces cut anywhere, as batches of lines, each with its transaction and its answer.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use audit::{Event, Origin};
use kernel::OrgId;
use proto::common::v1::{ClosingReason, StreamClosing, StreamHeartbeat};
use proto::notes::v1::import_notes_response::Frame;
use proto::notes::v1::{ImportNotesResponse, NoteImportFinished, NoteImportOpened, NoteImportProgress};
use rpc::convert::proto_time;
use rpc::stream::{Ends, Live};
use rpc::{Call, Fault};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};
use tonic::{Code, Status};
use uuid::Uuid;

use super::batch::{self, Outcome, Placed};
use crate::app::App;
use crate::domain::transfer::intake::LONGEST;
use crate::domain::transfer::{Intake, Line, Piece, Reason, Rejection};
use crate::error::Error;
use crate::wire::transfer as wire;

/// What resume tokens are sealed as.
const TOKEN: &str = "notes.import";
/// Lines of one transaction, at most.
const BATCH_LINES: usize = 200;
/// A batch ends with the line that makes it longer than this.
const BATCH_BYTES: u64 = 1024 * 1024;
/// The longest silence.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Pieces of the file as they come.
pub type Pieces = Pin<Box<dyn futures::Stream<Item = Result<Vec<u8>, Status>> + Send>>;

/// Up to where the file is dealt with.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    /// The request of all records of one import, however often it was cut.
    import: Uuid,
    lines: u64,
    offset: u64,
    counts: Counts,
}

/// What became of lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Went in.
    pub created: i64,
    /// Were there.
    pub unchanged: i64,
    /// Left out.
    pub rejected: i64,
}

/// One import as its stream sees it.
struct Coming {
    app: Arc<App>,
    org: OrgId,
    origin: Origin,
    ends: Ends,
    at: Cursor,
    intake: Intake,
    /// Lines that came and are not dealt with.
    waiting: Vec<Piece>,
}

/// What happens while the stream waits.
enum Happening {
    Piece(Vec<u8>),
    EndOfFile,
    Broken(Status),
    Silence,
    End(ClosingReason),
}

impl App {
    /// Takes a file of lines, or what is left of it behind a token.
    ///
    /// # Errors
    /// [`Fault`] of a token that is not of this stream, or of the database. Later ones are in the stream.
    pub async fn import_notes(
        self: &Arc<Self>,
        call: &Call,
        token: &str,
        pieces: Pieces,
    ) -> Result<Live<ImportNotesResponse>, Fault> {
        let org = call.caller.org.clone();
        let (at, action) = match token {
            "" => (Cursor::start(self.clock.new_id()), "note_import.begin"),
            token => {
                let opened = self.seal.open(TOKEN, org.as_str().as_bytes(), token);
                (opened.map_err(|malformed| malformed.at("start.resume_token"))?, "note_import.resume")
            }
        };
        let origin = runtime::origin(call).of_request(Some(at.import));
        self.tell_trail(&org, origin.clone(), Event::new(action, at.import)).await?;
        let ends = Ends::of(call, self.streams_end.clone());
        let intake = Intake::from(at.lines, at.offset);
        let coming = Coming { app: Arc::clone(self), org, origin, ends, at, intake, waiting: Vec::new() };
        Ok(Box::pin(coming.stream(pieces)))
    }
}

impl Cursor {
    fn start(import: Uuid) -> Self {
        Self { import, lines: 0, offset: 0, counts: Counts::default() }
    }
}

impl Coming {
    fn stream(
        mut self,
        mut pieces: Pieces,
    ) -> impl futures::Stream<Item = Result<ImportNotesResponse, Status>> + Send {
        async_stream::stream! {
            yield Ok(self.frame(Frame::Opened(NoteImportOpened { import_id: self.at.import.to_string() })));
            let (mut silent_since, mut whole) = (Instant::now(), false);
            while !whole {
                match self.wait(&mut pieces, silent_since + HEARTBEAT).await {
                    Happening::Piece(bytes) => self.intake.take(&bytes, &mut self.waiting),
                    Happening::EndOfFile => {
                        whole = true;
                        let last = self.intake.rest();
                        self.waiting.extend(last);
                    }
                    Happening::Silence => {
                        let beat_time = Some(proto_time(self.app.clock.now()));
                        yield Ok(self.frame(Frame::Heartbeat(StreamHeartbeat { beat_time })));
                        silent_since = Instant::now();
                    }
                    Happening::Broken(status) => {
                        yield Err(status);
                        return;
                    }
                    Happening::End(reason) => {
                        yield Ok(self.closing(reason));
                        return;
                    }
                }
                while let Some(batch) = self.batch(whole) {
                    match self.take(batch).await {
                        Ok(progress) => yield Ok(progress),
                        Err(error) => {
                            yield self.failed(error);
                            return;
                        }
                    }
                    silent_since = Instant::now();
                    if let Some(reason) = self.ends.due() {
                        yield Ok(self.closing(reason));
                        return;
                    }
                }
            }
            yield self.finish().await;
        }
    }

    async fn wait(&self, pieces: &mut Pieces, silence: Instant) -> Happening {
        tokio::select! {
            biased;
            () = self.ends.come() => Happening::End(self.ends.due().unwrap_or(ClosingReason::Rotation)),
            piece = futures::StreamExt::next(pieces) => match piece {
                Some(Ok(bytes)) => Happening::Piece(bytes),
                Some(Err(status)) => Happening::Broken(status),
                None => Happening::EndOfFile,
            },
            () = sleep_until(silence) => Happening::Silence,
        }
    }

    /// The next lines to deal with together: a full batch, or whatever is left of a file that is whole.
    fn batch(&mut self, whole: bool) -> Option<Vec<Piece>> {
        let mut bytes = 0;
        let full = self.waiting.iter().position(|piece| {
            bytes += piece.span.length;
            bytes > BATCH_BYTES
        });
        let end = full.map_or(BATCH_LINES, |last| BATCH_LINES.min(last + 1));
        if self.waiting.len() >= end {
            return Some(self.waiting.drain(..end).collect());
        }
        (whole && !self.waiting.is_empty()).then(|| std::mem::take(&mut self.waiting))
    }

    async fn take(&mut self, batch: Vec<Piece>) -> Result<ImportNotesResponse, Error> {
        let Some(end) = batch.last().map(|piece| piece.span) else {
            return Ok(self.progress(Outcome::default()));
        };
        let lines: Vec<Placed> = batch.into_iter().filter(|piece| !piece.is_blank()).map(read).collect();
        let origin = self.origin.clone();
        let outcome = self
            .app
            .db
            .write(&self.org, move |tx| Box::pin(async move { batch::take(tx, lines, &origin).await }));
        let outcome: Outcome = outcome.await?;
        self.at.lines = end.line;
        // Behind what ends the line; at the end of the file there may be nothing.
        self.at.offset = self.waiting.first().map_or(self.intake.offset(), |next| next.span.offset);
        self.at.counts.created += outcome.created;
        self.at.counts.unchanged += outcome.unchanged;
        self.at.counts.rejected += outcome.rejected.len() as i64;
        Ok(self.progress(outcome))
    }

    fn progress(&self, outcome: Outcome) -> ImportNotesResponse {
        let rejected = outcome.rejected.into_iter().map(|(span, rejection)| wire::rejected(span, rejection));
        let counts = Some(wire::counts(self.at.counts));
        self.frame(Frame::Progress(NoteImportProgress { counts, rejected: rejected.collect() }))
    }

    async fn finish(&self) -> Result<ImportNotesResponse, Status> {
        let event = Event::new("note_import.finish", self.at.import);
        match self.app.tell_trail(&self.org, self.origin.clone(), event).await {
            Ok(()) => {
                let counts = Some(wire::counts(self.at.counts));
                Ok(self.frame(Frame::Finished(NoteImportFinished { counts })))
            }
            Err(error) => self.failed(error),
        }
    }

    fn frame(&self, frame: Frame) -> ImportNotesResponse {
        let resume_token = self.app.seal.seal(TOKEN, self.org.as_str().as_bytes(), &self.at);
        let resume_offset = i64::try_from(self.at.offset).unwrap_or(i64::MAX);
        ImportNotesResponse { resume_token, resume_offset, frame: Some(frame) }
    }

    fn closing(&self, reason: ClosingReason) -> ImportNotesResponse {
        self.frame(Frame::Closing(StreamClosing { reason: reason.into() }))
    }

    fn failed(&self, error: Error) -> Result<ImportNotesResponse, Status> {
        // Something was erased between the look and the write: the next look finds it.
        let again = matches!(&error, Error::Database(error) if erasure::refused(error));
        let fault = Fault::from(error);
        match fault.code() {
            Code::Unavailable => Ok(self.closing(ClosingReason::Unavailable)),
            _ if again => Ok(self.closing(ClosingReason::Unavailable)),
            _ => Err(fault.into()),
        }
    }
}

fn read(piece: Piece) -> Placed {
    let read = match &piece.bytes {
        Some(bytes) => Line::parse(bytes),
        None => Err(Rejection::whole(Reason::Unreadable, format!("has more than {LONGEST} bytes"))),
    };
    (piece.span, read)
}
