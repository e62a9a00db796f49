//! The stream of an export, into a file. It is opened again where it breaks, and goes on behind the last line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use proto::notes::v1 as pb;
use proto::notes::v1::export_notes_response::Frame;
use tonic::Status;

use crate::client::{PATIENCE, Session, is_passing, wait};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::transfer::ApiFlags;
use crate::transfer::target::Target;

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
    #[expect(
        clippy::print_stderr,
        reason = "said to the person at the terminal; standard output may be the file"
    )]
    pub(in crate::transfer) fn run(self) -> Result<ExitCode, Failure> {
        let written = AtomicI64::new(0);
        let so_far =
            || format!("{} lines were written, the file is not whole", written.load(Ordering::Relaxed));
        let begun = Instant::now();
        let lines = self.api.run(|session| self.export(session, &written), so_far)?;
        eprintln!("{lines} lines in {:.1} s", begun.elapsed().as_secs_f64());
        Ok(ExitCode::SUCCESS)
    }

    async fn export(&self, session: Session, written: &AtomicI64) -> Result<i64, Failure> {
        let mut request = pb::ExportNotesRequest::default();
        let mut target = Target::open(&self.file)?;
        let progress = Progress::shown();
        progress.begin("lines", None);
        let (mut since, mut tried) = (Instant::now(), 0);
        loop {
            let before = request.resume_token.clone();
            let status = match stream(&session, &mut request, &mut target, &progress, written).await? {
                Ok(lines) => return target.close().map(|()| lines),
                Err(status) => status,
            };
            if request.resume_token != before {
                (since, tried) = (Instant::now(), 0);
            }
            if !is_passing(&status) || since.elapsed() > PATIENCE {
                return Err(Failure::call("the export", &status));
            }
            tokio::time::sleep(wait(&status, tried)).await;
            tried += 1;
        }
    }
}

/// One stream: the lines it says were written, or why it broke. Fails for good only where the file does.
async fn stream(
    session: &Session,
    request: &mut pb::ExportNotesRequest,
    target: &mut Target,
    progress: &Progress,
    written: &AtomicI64,
) -> Result<Result<i64, Status>, Failure> {
    let mut answers = match session.note_transfers().export_notes(request.clone()).await {
        Ok(answers) => answers.into_inner(),
        Err(status) => return Ok(Err(status)),
    };
    loop {
        let answer = match answers.message().await {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(Err(Status::unavailable("the stream ended early"))),
            Err(status) => return Ok(Err(status)),
        };
        request.resume_token = answer.resume_token;
        match answer.frame {
            Some(Frame::Chunk(bytes)) => target.write(&bytes)?,
            Some(Frame::Finished(finished)) => return Ok(Ok(finished.lines)),
            Some(Frame::Closing(_)) => return Ok(Err(Status::unavailable("the server ended the stream"))),
            Some(Frame::Opened(_)) | None => {}
        }
        written.store(answer.lines, Ordering::Relaxed);
        progress.at(usize::try_from(answer.lines).unwrap_or_default());
    }
}
