//! An import. Lines that were left out are said, or written to a file as they were, so that they can be mended and imported.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use proto::notes::v1 as pb;
use proto::notes::v1::import_notes_request::Frame as Piece;
use proto::notes::v1::import_notes_response::Frame;

use crate::client::Session;
use crate::counted::counted;
use crate::failure::{Failure, print};
use crate::progress::{Progress, Whole};
use crate::source::{self, Source};
use crate::transfer::ApiFlags;
use crate::transfer::sending::{Heard, Sent, number, send};
use crate::transfer::target::file_of_rejects;
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
    pub(in crate::transfer) fn run(self) -> Result<ExitCode, Failure> {
        let from = source::open(&self.file)?;
        let rejects = self.rejects.as_deref().map(|file| file_of_rejects(file, &self.file)).transpose()?;
        let rejects = rejects.map(BufWriter::new);
        let counted = Mutex::new(pb::NoteImportCounts::default());
        let now = || counted.lock().map(|counts| *counts).unwrap_or_default();
        let begun = Instant::now();
        let work = |session| {
            Importing { session, rejects, progress: Progress::shown(), counted: &counted }.run(from)
        };
        self.api.run(work, || format!("{}; run this again: what is in is unchanged", told(now())))?;
        print(format_args!("{} in {:.1} s", told(now()), begun.elapsed().as_secs_f64()))?;
        Ok(if now().rejected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn told(counts: pb::NoteImportCounts) -> String {
    let pb::NoteImportCounts { created, unchanged, rejected } = counts;
    let created = counted(created, "line is in", "lines are in");
    let unchanged = counted(unchanged, "was there already", "were there already");
    format!("{created}, {unchanged}, {}", counted(rejected, "was left out", "were left out"))
}

struct Importing<'a> {
    session: Session,
    rejects: Option<BufWriter<File>>,
    progress: Progress,
    counted: &'a Mutex<pb::NoteImportCounts>,
}

impl Importing<'_> {
    async fn run(mut self, from: Source) -> Result<(), Failure> {
        self.progress.begin("lines", Whole::File(from.share));
        let request = |sent| pb::ImportNotesRequest {
            frame: Some(match sent {
                Sent::Start(resume_token) => Piece::Start(pb::NoteImportStart { resume_token }),
                Sent::Piece(bytes) => Piece::Chunk(bytes),
            }),
        };
        let session = self.session.clone();
        let open = |requests| {
            let mut notes = session.note_transfers();
            async move { notes.import_notes(requests).await }
        };
        send(from.text, request, open, |answer, window| self.heard(answer, window)).await?;
        self.finish()
    }

    fn heard(&mut self, answer: pb::ImportNotesResponse, window: &Window) -> Result<Heard, Failure> {
        let finished = matches!(answer.frame, Some(Frame::Finished(_)));
        match answer.frame {
            Some(Frame::Progress(progress)) => {
                for line in &progress.rejected {
                    self.left_out(line, window)?;
                }
                self.count(progress.counts.unwrap_or_default());
            }
            Some(Frame::Finished(all)) => self.count(all.counts.unwrap_or_default()),
            Some(Frame::Opened(_) | Frame::Heartbeat(_) | Frame::Closing(_)) | None => {}
        }
        Ok(Heard { resume_token: answer.resume_token, resume_offset: answer.resume_offset, finished })
    }

    fn left_out(&mut self, line: &pb::RejectedNoteLine, window: &Window) -> Result<(), Failure> {
        let said = self.counted.lock().map(|counts| counts.rejected).unwrap_or_default() < SAID;
        if let Some(rejects) = &mut self.rejects {
            let mut raw = window.slice(number(line.offset), number(line.length));
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

#[cfg(test)]
mod tests {
    use super::{pb, told};

    // G8
    #[test]
    fn one_line_and_many_lines_are_told_as_such() {
        let told = |created, unchanged, rejected| told(pb::NoteImportCounts { created, unchanged, rejected });
        assert_eq!(told(1, 1, 1), "1 line is in, 1 was there already, 1 was left out");
        assert_eq!(told(0, 2, 3), "0 lines are in, 2 were there already, 3 were left out");
    }
}
