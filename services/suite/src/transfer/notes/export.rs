//! An export, into a file.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use proto::notes::v1 as pb;
use proto::notes::v1::export_notes_response::Frame;

use crate::client::Session;
use crate::counted::counted;
use crate::failure::Failure;
use crate::transfer::ApiFlags;
use crate::transfer::receiving::{Received, Receiving, What};
use crate::transfer::target::cut_short;

#[derive(Debug, clap::Args)]
pub(in crate::transfer) struct ExportNotes {
    /// Where to write; packed if the name ends with .gz; - for standard output
    #[arg(default_value = "-")]
    file: PathBuf,
    #[command(flatten)]
    api: ApiFlags,
}

impl ExportNotes {
    /// Exports everything in the notes service.
    pub(in crate::transfer) fn run(self) -> Result<ExitCode, Failure> {
        let written = AtomicI64::new(0);
        let lines = |count: i64| counted(count, "line", "lines");
        let so_far = || cut_short(&self.file, &lines(written.load(Ordering::Relaxed)));
        let begun = Instant::now();
        let all = self.api.run(|session| self.export(session, &written), so_far)?;
        runtime::say::aside(format_args!("{} in {:.1} s", lines(all), begun.elapsed().as_secs_f64()));
        Ok(ExitCode::SUCCESS)
    }

    async fn export(&self, session: Session, written: &AtomicI64) -> Result<i64, Failure> {
        let open = |resume_token| {
            let mut notes = session.note_transfers();
            async move { notes.export_notes(pb::ExportNotesRequest { resume_token }).await }
        };
        let received = |answer: pb::ExportNotesResponse| Received {
            resume_token: answer.resume_token,
            so_far: answer.lines,
            what: match answer.frame {
                Some(Frame::Chunk(bytes)) => What::Bytes(bytes),
                Some(Frame::Finished(finished)) => What::Whole(finished.lines),
                Some(Frame::Opened(_) | Frame::Closing(_)) | None => What::Nothing,
            },
        };
        Receiving::into(&self.file, "lines", written)?.run(open, received).await
    }
}
