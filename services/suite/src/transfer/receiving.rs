//! A file comes from the server by a stream. It is opened again where it breaks, and goes on behind the last byte.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use tonic::{Response, Status, Streaming};

use super::target::Target;
use crate::client::Pace;
use crate::failure::Failure;
use crate::progress::{Progress, Whole};

/// What a message of the stream brings.
pub(super) struct Received {
    /// To go on with.
    pub(super) resume_token: String,
    /// Contacts, or lines, so far.
    pub(super) so_far: i64,
    pub(super) what: What,
}

/// What of the file is in it.
pub(super) enum What {
    Nothing,
    /// The next bytes.
    Bytes(Vec<u8>),
    /// All is written: so many in all.
    Whole(i64),
}

/// A file that is written.
pub(super) struct Receiving<'a> {
    target: Target,
    resume_token: String,
    progress: Progress,
    written: &'a AtomicI64,
}

impl<'a> Receiving<'a> {
    /// Opens the file. `of` is what it is made of; how many of them are written is always in `written`.
    pub(super) fn into(file: &Path, of: &'static str, written: &'a AtomicI64) -> Result<Self, Failure> {
        let progress = Progress::shown();
        progress.begin(of, Whole::Unknown);
        Ok(Self { target: Target::open(file)?, resume_token: String::new(), progress, written })
    }

    /// Writes all of it, from streams that are opened behind a token; tells how many things are in it.
    pub(super) async fn run<A, F: Future<Output = Result<Response<Streaming<A>>, Status>>>(
        mut self,
        open: impl Fn(String) -> F,
        received: impl Fn(A) -> Received,
    ) -> Result<i64, Failure> {
        let mut pace = Pace::begin();
        loop {
            let before = self.resume_token.clone();
            let status = match self.stream(open(before.clone()), &received).await? {
                Ok(all) => return self.target.close().map(|()| all),
                Err(status) => status,
            };
            if !pace.again(&status, self.resume_token != before).await {
                return Err(Failure::call("the export", &status));
            }
        }
    }

    /// One stream: how much it says is written, or why it broke. Fails for good only where the file does.
    async fn stream<A, F: Future<Output = Result<Response<Streaming<A>>, Status>>>(
        &mut self,
        opening: F,
        received: impl Fn(A) -> Received,
    ) -> Result<Result<i64, Status>, Failure> {
        let mut answers = match opening.await {
            Ok(answers) => answers.into_inner(),
            Err(status) => return Ok(Err(status)),
        };
        loop {
            let Received { resume_token, so_far, what } = match answers.message().await {
                Ok(Some(answer)) => received(answer),
                Ok(None) => return Ok(Err(Status::unavailable("the stream ended early"))),
                Err(status) => return Ok(Err(status)),
            };
            match what {
                What::Bytes(bytes) => self.target.write(&bytes)?,
                What::Whole(all) => return Ok(Ok(all)),
                What::Nothing => {}
            }
            self.resume_token = resume_token;
            self.written.store(so_far, Ordering::Relaxed);
            self.progress.at(usize::try_from(so_far).unwrap_or_default());
        }
    }
}
