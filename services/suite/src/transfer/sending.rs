//! A file goes to the server by a stream. It is opened again where it breaks, and goes on behind what is dealt with.

use std::io::{BufRead, ErrorKind};

use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::mpsc;
use tonic::{Code, Response, Status, Streaming};

use super::window::Window;
use crate::client::{Pace, is_passing};
use crate::failure::Failure;

/// Bytes of a piece.
const PIECE: usize = 64 * 1024;

/// What is sent.
pub(super) enum Sent {
    /// The beginning of a stream which goes on behind this token.
    Start(String),
    /// The next bytes of the file.
    Piece(Vec<u8>),
}

/// What an answer says of the stream.
pub(super) struct Heard {
    /// To go on with.
    pub(super) resume_token: String,
    /// All before this byte is dealt with.
    pub(super) resume_offset: i64,
    /// Whether the whole file is.
    pub(super) finished: bool,
}

/// Sends a whole file. `heard` takes each answer in, while what it is about is still in the window.
pub(super) async fn send<R, A, F>(
    from: Box<dyn BufRead + Send>,
    request: impl Fn(Sent) -> R,
    open: impl Fn(BoxStream<'static, R>) -> F,
    mut heard: impl FnMut(A, &Window) -> Result<Heard, Failure>,
) -> Result<(), Failure>
where
    R: Send + 'static,
    F: Future<Output = Result<Response<Streaming<A>>, Status>>,
{
    let (into, mut file) = mpsc::channel(8);
    std::thread::spawn(move || read(from, &into));
    let (mut window, mut resume_token, mut pace) = (Window::default(), String::new(), Pace::begin());
    loop {
        let before = window.base();
        let (send, requests) = mpsc::channel(4);
        if send.try_send(request(Sent::Start(resume_token.clone()))).is_err() {
            return Err(Failure("the stream has no room for its start".to_owned()));
        }
        let status = match open(stream_of(requests)).await {
            Err(status) => status,
            Ok(answers) => {
                let mut answers = answers.into_inner();
                let (mut send, mut gone) = (Some(send), false);
                loop {
                    if window.is_sent() || gone {
                        // The end of the file, or of the stream.
                        send = None;
                    }
                    let unsent = window.unsent(PIECE);
                    tokio::select! {
                        answer = answers.message() => match answer {
                            Err(status) => break status,
                            Ok(None) => break Status::unavailable("the stream ended early"),
                            Ok(Some(answer)) => {
                                let heard = heard(answer, &window)?;
                                if heard.finished {
                                    return Ok(());
                                }
                                resume_token = heard.resume_token;
                                window.done(number(heard.resume_offset));
                            }
                        },
                        room = reserve(send.as_ref()), if unsent.is_some() => match (room, unsent) {
                            (Some(room), Some(bytes)) => {
                                window.sent(bytes.len());
                                room.send(request(Sent::Piece(bytes)));
                            }
                            // Whoever took the pieces is gone, and its answer says why.
                            _ => gone = true,
                        },
                        more = file.recv(), if window.has_room() => match more {
                            Some(bytes) => window.extend(&bytes?),
                            None => window.end(),
                        },
                    }
                }
            }
        };
        if is_passing(&status) && resume_token.is_empty() && window.base() > 0 {
            let what = "the import cannot go on from here, begin it again";
            return Err(Failure::because(what, status.message()));
        }
        if !pace.again(&status, window.base() > before).await {
            return Err(refusal(&status));
        }
        window.rewind();
    }
}

fn stream_of<R: Send + 'static>(mut requests: mpsc::Receiver<R>) -> BoxStream<'static, R> {
    futures::stream::poll_fn(move |cx| requests.poll_recv(cx)).boxed()
}

/// Room for a piece; none when nobody takes pieces any more. Waits for ever without a sender.
async fn reserve<T>(send: Option<&mpsc::Sender<T>>) -> Option<mpsc::Permit<'_, T>> {
    match send {
        Some(send) => send.reserve().await.ok(),
        None => std::future::pending().await,
    }
}

/// The file, piece by piece, until its end or until nobody listens.
fn read(mut from: Box<dyn BufRead + Send>, into: &mpsc::Sender<Result<Vec<u8>, Failure>>) {
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
fn refusal(status: &Status) -> Failure {
    use tonic_types::StatusExt;
    let wrong = status.get_details_bad_request().map(|wrong| wrong.field_violations).unwrap_or_default();
    match wrong.first() {
        Some(wrong) if status.code() == Code::InvalidArgument => {
            Failure(format!("the {} {}", wrong.field, wrong.description))
        }
        _ => Failure::call("the import", status),
    }
}
