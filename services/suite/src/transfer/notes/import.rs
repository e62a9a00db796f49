//! The stream of an import. It is opened again where it breaks, and goes on behind the last batch. Lines that were left out are said,
//! or written to a file as they were, so that they can be mended and imported.

use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use proto::notes::v1 as pb;
use proto::notes::v1::import_notes_request::Frame as Piece;
use proto::notes::v1::import_notes_response::Frame;
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use crate::client::{PATIENCE, Session, is_passing, wait};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::source;
use crate::transfer::ApiFlags;
use crate::transfer::pieces::{self, number, refusal, reserve};
use crate::transfer::window::Window;

/// Lines that are said where there is no file for them.
const SAID: i64 = 20;

#[derive(Debug, clap::Args)]
pub(in crate::transfer) struct ImportNotes {
    /// JSON Lines, plain or gzip; - for standard input
    file: PathBuf,
    #[command(flatten)]
    api: ApiFlags,
    /// Where lines that were left out are written as they are; without it the first ones are said, each with the reason
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

impl ImportNotes {
    /// Imports the file; exit code 1 when a line was left out.
    #[expect(clippy::print_stdout, reason = "the report is this command's output")]
    pub(in crate::transfer) fn run(self) -> Result<ExitCode, Failure> {
        let from = source::open(&self.file).map_err(|error| Failure::because(self.file.display(), error))?;
        let rejects = self.rejects.as_deref().map(file_for).transpose()?;
        let counted = Mutex::new(pb::NoteImportCounts::default());
        let now = || counted.lock().map(|counts| *counts).unwrap_or_default();
        let begun = Instant::now();
        let work = |session| {
            let progress = Progress::shown();
            let start = pb::NoteImportStart::default();
            let window = Window::default();
            Importing { session, start, window, rejects, progress, counted: &counted }.run(from)
        };
        self.api.run(work, || format!("{}; run this again: what is in is unchanged", told(now())))?;
        println!("{} in {:.1} s", told(now()), begun.elapsed().as_secs_f64());
        Ok(if now().rejected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn file_for(path: &Path) -> Result<BufWriter<File>, Failure> {
    File::create(path).map(BufWriter::new).map_err(|error| Failure::because(path.display(), error))
}

fn told(counts: pb::NoteImportCounts) -> String {
    let pb::NoteImportCounts { created, unchanged, rejected } = counts;
    format!("{created} lines are in, {unchanged} were there already, {rejected} were left out")
}

struct Importing<'a> {
    session: Session,
    start: pb::NoteImportStart,
    window: Window,
    rejects: Option<BufWriter<File>>,
    progress: Progress,
    counted: &'a Mutex<pb::NoteImportCounts>,
}

impl Importing<'_> {
    async fn run(mut self, from: Box<dyn BufRead + Send>) -> Result<(), Failure> {
        let (into, mut file) = mpsc::channel(8);
        std::thread::spawn(move || pieces::read(from, &into));
        self.progress.begin("lines", None);
        let (mut since, mut tried) = (Instant::now(), 0);
        loop {
            let before = self.window.base();
            let status = match self.stream(&mut file).await? {
                Ok(true) => return self.finish(),
                Ok(false) => Status::unavailable("the server ended the stream"),
                Err(status) => status,
            };
            if self.window.base() > before {
                (since, tried) = (Instant::now(), 0);
            }
            if !is_passing(&status) || since.elapsed() > PATIENCE {
                return Err(refusal(&status));
            }
            tokio::time::sleep(wait(&status, tried)).await;
            tried += 1;
            self.window.rewind();
        }
    }

    /// One stream: sends what is not dealt with, reads what became of it; true when all is in. Fails for good only where the
    /// file does.
    async fn stream(
        &mut self,
        file: &mut mpsc::Receiver<Result<Vec<u8>, Failure>>,
    ) -> Result<Result<bool, Status>, Failure> {
        let (send, mut sent) = mpsc::channel::<pb::ImportNotesRequest>(4);
        let request = |frame| pb::ImportNotesRequest { frame: Some(frame) };
        if send.try_send(request(Piece::Start(self.start.clone()))).is_err() {
            return Err(Failure("the stream has no room for its start".to_owned()));
        }
        let requests = futures::stream::poll_fn(move |cx| sent.poll_recv(cx));
        let mut answers: Streaming<pb::ImportNotesResponse> =
            match self.session.note_transfers().import_notes(requests).await {
                Ok(answers) => answers.into_inner(),
                Err(status) => return Ok(Err(status)),
            };
        let (mut send, mut gone) = (Some(send), false);
        loop {
            if self.window.is_sent() || gone {
                // The end of the file, or of the stream.
                send = None;
            }
            let unsent = self.window.unsent(pieces::PIECE);
            tokio::select! {
                answer = answers.message() => match answer {
                    Err(status) => return Ok(Err(status)),
                    Ok(None) => return Ok(Err(Status::unavailable("the stream ended early"))),
                    Ok(Some(answer)) => if let Some(whole) = self.heard(answer)? {
                        return Ok(Ok(whole));
                    },
                },
                room = reserve(send.as_ref()), if unsent.is_some() => match (room, unsent) {
                    (Some(room), Some(bytes)) => {
                        self.window.sent(bytes.len());
                        room.send(request(Piece::Chunk(bytes)));
                    }
                    // Whoever took the pieces is gone, and its answer says why.
                    _ => gone = true,
                },
                more = file.recv(), if self.window.has_room() => match more {
                    Some(bytes) => self.window.extend(&bytes?),
                    None => self.window.end(),
                },
            }
        }
    }

    /// Takes an answer in; tells at the end whether the file is whole.
    fn heard(&mut self, answer: pb::ImportNotesResponse) -> Result<Option<bool>, Failure> {
        let ended = match answer.frame {
            Some(Frame::Progress(progress)) => {
                for line in &progress.rejected {
                    self.left_out(line)?;
                }
                self.count(progress.counts.unwrap_or_default());
                None
            }
            Some(Frame::Finished(finished)) => {
                self.count(finished.counts.unwrap_or_default());
                Some(true)
            }
            Some(Frame::Closing(_)) => Some(false),
            Some(Frame::Opened(_) | Frame::Heartbeat(_)) | None => None,
        };
        self.start.resume_token = answer.resume_token;
        self.window.done(number(answer.resume_offset));
        Ok(ended)
    }

    fn left_out(&mut self, line: &pb::RejectedNoteLine) -> Result<(), Failure> {
        let said = self.counted.lock().map(|counts| counts.rejected).unwrap_or_default() < SAID;
        if let Some(rejects) = &mut self.rejects {
            let mut raw = self.window.slice(number(line.offset), number(line.length));
            raw.push(b'\n');
            rejects
                .write_all(&raw)
                .map_err(|error| Failure::because("the file of what was left out", error))?;
        } else if said {
            let wrong: Vec<String> =
                line.violations.iter().map(|it| format!("{} {}", it.field, it.description)).collect();
            self.progress.say(format!("line {}: {}", line.line, wrong.join("; ").trim()));
        }
        Ok(())
    }

    fn count(&self, counts: pb::NoteImportCounts) {
        let Ok(mut counted) = self.counted.lock() else { return };
        *counted = counts;
        let lines = counts.created + counts.unchanged + counts.rejected;
        self.progress.at(usize::try_from(lines).unwrap_or_default());
    }

    fn finish(self) -> Result<(), Failure> {
        match self.rejects {
            Some(mut rejects) => {
                rejects.flush().map_err(|error| Failure::because("the file of what was left out", error))
            }
            None => Ok(()),
        }
    }
}
