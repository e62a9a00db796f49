//! The pieces of a file, in their order, as their reader takes them.

use async_stream::try_stream;
use futures::Stream;
use rpc::{Call, Fault};
use sha2::{Digest, Sha256};

use super::walk::Walk;
use super::{App, Piece};
use crate::domain::export::json::JsonFile;
use crate::domain::export::pdf::{self, Pdf};
use crate::domain::export::{Edition, Entry, Format, Heading, Order};
use crate::error::Error;

/// Bytes of a chunk.
const CHUNK: usize = 64 * 1024;

/// The whole file, read and written as fast as its reader takes it.
pub(super) fn stream(
    app: App,
    call: Call,
    order: Order,
    edition: Edition,
    heading: Heading,
) -> impl Stream<Item = Result<Piece, Error>> + Send {
    try_stream! {
        yield Piece::Opened { order, edition };
        let mut sent = Sent::default();
        let walk = Walk::new(app.clone(), call, order, edition);
        match order.format {
            Format::Json => {
                let mut walk = walk;
                let (mut file, beginning) = JsonFile::begin(&heading, &edition).map_err(unwritable)?;
                let mut bytes = beginning;
                while let Some(entries) = walk.step().await? {
                    for entry in &entries {
                        file.write(entry, &mut bytes).map_err(unwritable)?;
                        while bytes.len() >= CHUNK {
                            yield sent.piece(bytes.drain(..CHUNK).collect());
                        }
                    }
                }
                let entries = file.entries();
                bytes.extend(file.end().map_err(unwritable)?);
                for chunk in bytes.chunks(CHUNK) {
                    yield sent.piece(chunk.to_vec());
                }
                yield sent.finished(entries, 0);
            }
            Format::Pdf => {
                let (entries, pdf) = written(&app, walk, heading, edition).await?;
                for chunk in pdf.bytes.chunks(CHUNK) {
                    if app.streams_end.is_cancelled() {
                        Err(Error::Stopping)?;
                    }
                    yield sent.piece(chunk.to_vec());
                }
                yield sent.finished(entries, pdf.unshown);
            }
        }
    }
}

/// The PDF, made beside the threads that serve calls.
async fn written(app: &App, walk: Walk, heading: Heading, edition: Edition) -> Result<(u64, Pdf), Error> {
    let seat = app.pdf_seats.clone().acquire_owned().await.map_err(unwritable)?;
    let entries: Vec<Entry> = walk.all().await?;
    let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    let made = tokio::task::spawn_blocking(move || {
        // Held until the work is done, even if nobody waits for it any more.
        let _seat = seat;
        pdf::render(&heading, &entries, &edition)
    });
    let pdf = made.await.map_err(unwritable)?.map_err(unwritable)?;
    Ok((count, pdf))
}

/// Our own fault: nothing that people write brings it about.
fn unwritable(error: impl std::fmt::Display) -> Error {
    Error::Unwritable(Fault::internal(error))
}

/// What was sent so far.
#[derive(Default)]
struct Sent {
    size: u64,
    digest: Sha256,
}

impl Sent {
    fn piece(&mut self, chunk: Vec<u8>) -> Piece {
        self.size += u64::try_from(chunk.len()).unwrap_or_default();
        self.digest.update(&chunk);
        Piece::Chunk(chunk)
    }

    fn finished(self, entries: u64, unshown: u64) -> Piece {
        Piece::Finished { size: self.size, sha256: self.digest.finalize().into(), entries, unshown }
    }
}
