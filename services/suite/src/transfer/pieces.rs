//! What imports have in common: a file piece by piece, and why one is not taken.

use std::io::{BufRead, ErrorKind};

use tokio::sync::mpsc;
use tonic::{Code, Status};

use crate::failure::Failure;

/// Bytes of a piece.
pub(super) const PIECE: usize = 64 * 1024;

/// Room for a piece; none when nobody takes pieces any more. Waits for ever without a sender.
pub(super) async fn reserve<T>(send: Option<&mpsc::Sender<T>>) -> Option<mpsc::Permit<'_, T>> {
    match send {
        Some(send) => send.reserve().await.ok(),
        None => std::future::pending().await,
    }
}

/// The file, piece by piece, until its end or until nobody listens.
pub(super) fn read(mut from: Box<dyn BufRead + Send>, into: &mpsc::Sender<Result<Vec<u8>, Failure>>) {
    loop {
        let mut bytes = vec![0; PIECE];
        let piece = match from.read(&mut bytes) {
            Ok(0) => return,
            Ok(read) => {
                bytes.truncate(read);
                Ok(bytes)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => Err(Failure::because("the file cannot be read from here on", error)),
        };
        let last = piece.is_err();
        if into.blocking_send(piece).is_err() || last {
            return;
        }
    }
}

/// An offset or a length, as contracts have it.
pub(super) fn number(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// Why the file is not taken, in words about the file.
pub(super) fn refusal(status: &Status) -> Failure {
    use tonic_types::StatusExt;
    let wrong = status.get_details_bad_request().map(|wrong| wrong.field_violations).unwrap_or_default();
    match wrong.first() {
        Some(wrong) if status.code() == Code::InvalidArgument => {
            Failure(format!("the {} {}", wrong.field, wrong.description))
        }
        _ => Failure::call("the import", status),
    }
}
