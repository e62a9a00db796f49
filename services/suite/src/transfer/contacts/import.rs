//! The stream of an import. It is opened again where it breaks, and goes on behind the last batch.

use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use proto::contacts::v1 as pb;
use proto::contacts::v1::import_contacts_request::Frame as Piece;
use proto::contacts::v1::import_contacts_response::Frame;
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::Format;
use super::rejects::Rejects;
use super::report::Report;
use crate::client::{PATIENCE, Session, is_passing, wait};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::source;
use crate::transfer::ApiFlags;
use crate::transfer::pieces::{PIECE, number, read, refusal, reserve};
use crate::transfer::window::Window;

#[derive(Debug, clap::Args)]
pub(in crate::transfer) struct ImportContacts {
    /// CSV or JSON Lines, plain or gzip; - for standard input
    file: PathBuf,
    #[command(flatten)]
    api: ApiFlags,
    /// How the file is written, if its name does not say so
    #[arg(long)]
    format: Option<Format>,
    /// What rows may do
    #[arg(long, value_enum, default_value_t = Mode::Upsert)]
    mode: Mode,
    /// A row says all there is to its columns: what is empty is emptied, what it does not name goes
    #[arg(long)]
    replace: bool,
    /// Tell what would become of the rows and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Between the cells of a CSV: , ; or tab, if the header does not tell
    #[arg(long, value_parser = delimiter)]
    delimiter: Option<char>,
    /// Where rows that were left out are written, each with the reason: mended, they can be imported as they are there
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Mode {
    /// Make contacts and change those that are there
    Upsert,
    /// Only make contacts
    Create,
    /// Only change contacts
    Update,
}

fn delimiter(text: &str) -> Result<char, &'static str> {
    match text {
        "," => Ok(','),
        ";" => Ok(';'),
        "\t" | "\\t" | "tab" => Ok('\t'),
        _ => Err("is not , ; or tab"),
    }
}

impl ImportContacts {
    /// Imports the file; exit code 1 when a row was left out.
    #[expect(clippy::print_stdout, reason = "the report is this command's output")]
    pub(in crate::transfer) fn run(self) -> Result<ExitCode, Failure> {
        let format = Format::of(self.format, &self.file)?;
        let from = source::open(&self.file).map_err(|error| Failure::because(self.file.display(), error))?;
        let length = self.length();
        let rejects = Rejects::open(self.rejects.as_deref(), format)?;
        let so_far = Mutex::new(Report { dry_run: self.dry_run, ..Report::default() });
        let now = || so_far.lock().map(|report| report.clone()).unwrap_or_default();
        let work = |session| Importing {
            session,
            start: self.start(format),
            window: Window::default(),
            rejects,
            progress: Progress::shown(),
            length,
            so_far: &so_far,
        };
        let begun = Instant::now();
        let took = self.api.run(|session| work(session).run(from), || now().so_far())?;
        let report = Report { rejects_said: took, ..now() }.timed(begun.elapsed());
        if self.json {
            println!("{}", report.json()?);
        } else {
            println!("{}", report.table(self.rejects.as_deref()));
        }
        Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn start(&self, format: Format) -> pb::ContactImportStart {
        let mode = match self.mode {
            Mode::Upsert => pb::ContactImportMode::Upsert,
            Mode::Create => pb::ContactImportMode::CreateOnly,
            Mode::Update => pb::ContactImportMode::UpdateOnly,
        };
        pb::ContactImportStart {
            resume_token: String::new(),
            format: format.proto().into(),
            mode: mode.into(),
            replace: self.replace,
            dry_run: self.dry_run,
            delimiter: self.delimiter.map(String::from).unwrap_or_default(),
        }
    }

    /// The bytes of the file, where they are those that are sent.
    fn length(&self) -> Option<u64> {
        let packed = self.file.extension().is_some_and(|ending| ending == "gz");
        std::fs::metadata(&self.file).ok().filter(|file| file.is_file() && !packed).map(|file| file.len())
    }
}

struct Importing<'a> {
    session: Session,
    start: pb::ContactImportStart,
    window: Window,
    rejects: Rejects,
    progress: Progress,
    length: Option<u64>,
    so_far: &'a Mutex<Report>,
}

/// How a stream ended that did not break.
enum Ended {
    /// All is in.
    Finished,
    /// The server wants it opened again.
    Again,
}

impl Importing<'_> {
    /// Imports everything; tells how many rejected rows were said.
    async fn run(mut self, from: Box<dyn BufRead + Send>) -> Result<u64, Failure> {
        let (into, mut file) = mpsc::channel(8);
        std::thread::spawn(move || read(from, &into));
        self.progress.begin("rows", None);
        let (mut since, mut tried) = (Instant::now(), 0);
        loop {
            let before = self.window.base();
            let status = match self.stream(&mut file).await? {
                Ok(Ended::Finished) => return self.rejects.finish(),
                Ok(Ended::Again) => Status::unavailable("the server ended the stream"),
                Err(status) => status,
            };
            if self.window.base() > before {
                (since, tried) = (Instant::now(), 0);
            }
            if !is_passing(&status) || since.elapsed() > PATIENCE {
                return Err(refusal(&status));
            }
            if self.start.resume_token.is_empty() && self.window.base() > 0 {
                return Err(Failure::because(
                    "the import cannot go on from here, begin it again",
                    status.message(),
                ));
            }
            tokio::time::sleep(wait(&status, tried)).await;
            tried += 1;
            self.window.rewind();
        }
    }

    /// One stream: sends what is not dealt with, reads what became of it. Fails for good only where the file or the rejects do.
    async fn stream(
        &mut self,
        file: &mut mpsc::Receiver<Result<Vec<u8>, Failure>>,
    ) -> Result<Result<Ended, Status>, Failure> {
        let (send, mut sent) = mpsc::channel::<pb::ImportContactsRequest>(4);
        let request = |frame| pb::ImportContactsRequest { frame: Some(frame) };
        if send.try_send(request(Piece::Start(self.start.clone()))).is_err() {
            return Err(Failure("the stream has no room for its start".to_owned()));
        }
        let pieces = futures::stream::poll_fn(move |cx| sent.poll_recv(cx));
        let mut answers: Streaming<pb::ImportContactsResponse> =
            match self.session.contact_imports().import_contacts(pieces).await {
                Ok(answers) => answers.into_inner(),
                Err(status) => return Ok(Err(status)),
            };
        let (mut send, mut gone) = (Some(send), false);
        loop {
            if self.window.is_sent() || gone {
                // The end of the file, or of the stream.
                send = None;
            }
            let unsent = self.window.unsent(PIECE);
            tokio::select! {
                answer = answers.message() => match answer {
                    Err(status) => return Ok(Err(status)),
                    Ok(None) => return Ok(Err(Status::unavailable("the stream ended early"))),
                    Ok(Some(answer)) => if let Some(ended) = self.heard(answer)? {
                        return Ok(Ok(ended));
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

    fn heard(&mut self, answer: pb::ImportContactsResponse) -> Result<Option<Ended>, Failure> {
        let ended = match answer.frame {
            Some(Frame::Header(header)) => {
                let (offset, length) = (number(header.offset), number(header.length));
                self.rejects.header(&header.delimiter, &self.window.slice(offset, length))?;
                None
            }
            Some(Frame::Progress(progress)) => {
                for row in &progress.rejected {
                    let raw = self.window.slice(number(row.offset), number(row.length));
                    if let Some(said) = self.rejects.add(row, &raw)? {
                        self.progress.say(said);
                    }
                }
                self.count(progress.counts.unwrap_or_default(), number(answer.resume_offset));
                None
            }
            Some(Frame::Finished(finished)) => {
                self.count(finished.counts.unwrap_or_default(), number(answer.resume_offset));
                Some(Ended::Finished)
            }
            Some(Frame::Closing(_)) => Some(Ended::Again),
            Some(Frame::Opened(_) | Frame::Heartbeat(_)) | None => None,
        };
        self.start.resume_token = answer.resume_token;
        self.window.done(number(answer.resume_offset));
        Ok(ended)
    }

    fn count(&self, counts: pb::ContactImportCounts, bytes: u64) {
        let Ok(mut report) = self.so_far.lock() else { return };
        report.counted(counts);
        self.progress.at(usize::try_from(report.rows).unwrap_or(usize::MAX));
        if let Some(length) = self.length.filter(|length| *length > 0) {
            self.progress.beside(format!(
                ", {} % of the file, {} left out",
                bytes * 100 / length,
                report.rejected
            ));
        }
    }
}
