//! An import, and what becomes of its rows.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use proto::contacts::v1 as pb;
use proto::contacts::v1::import_contacts_request::Frame as Piece;
use proto::contacts::v1::import_contacts_response::Frame;

use super::Format;
use super::rejects::Rejects;
use super::report::Report;
use crate::client::Session;
use crate::failure::{Failure, print};
use crate::progress::{Progress, Whole};
use crate::source::{self, Source};
use crate::transfer::ApiFlags;
use crate::transfer::sending::{Heard, Sent, number, send};
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
    pub(in crate::transfer) fn run(self) -> Result<ExitCode, Failure> {
        let format = Format::of(self.format, &self.file)?;
        let from = source::open(&self.file)?;
        let rejects = Rejects::open(self.rejects.as_deref(), &self.file, format)?;
        let so_far = Mutex::new(Report { dry_run: self.dry_run, ..Report::default() });
        let now = || so_far.lock().map(|report| report.clone()).unwrap_or_default();
        let work = |session| Importing {
            session,
            start: self.start(format),
            rejects,
            progress: Progress::shown(),
            so_far: &so_far,
        };
        let begun = Instant::now();
        let took = self.api.run(|session| work(session).run(from), || now().so_far())?;
        let report = Report { rejects_said: took, ..now() }.timed(begun.elapsed());
        if self.json {
            print(report.json()?)?;
        } else {
            print(report.table(self.rejects.as_deref()))?;
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
}

struct Importing<'a> {
    session: Session,
    start: pb::ContactImportStart,
    rejects: Rejects,
    progress: Progress,
    so_far: &'a Mutex<Report>,
}

impl Importing<'_> {
    /// Imports everything; tells how many rejected rows were said.
    async fn run(mut self, from: Source) -> Result<u64, Failure> {
        self.progress.begin("rows", Whole::File(from.share));
        let (session, start) = (self.session.clone(), self.start.clone());
        let request = |sent| pb::ImportContactsRequest {
            frame: Some(match sent {
                Sent::Start(resume_token) => {
                    Piece::Start(pb::ContactImportStart { resume_token, ..start.clone() })
                }
                Sent::Piece(bytes) => Piece::Chunk(bytes),
            }),
        };
        let open = |requests| {
            let mut contacts = session.contact_imports();
            async move { contacts.import_contacts(requests).await }
        };
        send(from.text, request, open, |answer, window| self.heard(answer, window)).await?;
        self.rejects.finish()
    }

    fn heard(&mut self, answer: pb::ImportContactsResponse, window: &Window) -> Result<Heard, Failure> {
        let finished = matches!(answer.frame, Some(Frame::Finished(_)));
        match answer.frame {
            Some(Frame::Header(header)) => {
                let (offset, length) = (number(header.offset), number(header.length));
                self.rejects.header(&header.delimiter, &window.slice(offset, length))?;
            }
            Some(Frame::Progress(progress)) => {
                for row in &progress.rejected {
                    let raw = window.slice(number(row.offset), number(row.length));
                    if let Some(said) = self.rejects.add(row, &raw)? {
                        self.progress.say(said);
                    }
                }
                self.count(progress.counts.unwrap_or_default());
            }
            Some(Frame::Finished(all)) => {
                self.count(all.counts.unwrap_or_default());
            }
            Some(Frame::Opened(_) | Frame::Heartbeat(_) | Frame::Closing(_)) | None => {}
        }
        Ok(Heard { resume_token: answer.resume_token, resume_offset: answer.resume_offset, finished })
    }

    fn count(&self, counts: pb::ContactImportCounts) {
        let Ok(mut report) = self.so_far.lock() else { return };
        report.counted(counts);
        self.progress.at(usize::try_from(report.rows).unwrap_or(usize::MAX));
        self.progress.beside(format!(", {} left out", report.rejected));
    }
}
