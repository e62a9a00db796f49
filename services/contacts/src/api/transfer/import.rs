//! The stream of one import: pieces of a file in, what became of its rows out.

use std::sync::Arc;
use std::time::Duration;

use async_stream::stream;
use futures::Stream;
use proto::common::v1::{ClosingReason, StreamClosing, StreamHeartbeat};
use proto::contacts::v1 as pb;
use proto::contacts::v1::import_contacts_request::Frame as Piece;
use proto::contacts::v1::import_contacts_response::Frame;
use rpc::convert::proto_time;
use rpc::stream::Ends;
use rpc::{Call, Fault};
use tonic::{Code, Status, Streaming};

use self::session::Session;
use crate::app::App;
use crate::wire::transfer::proto_counts;

mod session;

type Answer = Result<pb::ImportContactsResponse, Status>;

/// The longest silence.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// Rows do not wait longer than this for more of them.
const ROWS_WAIT: Duration = Duration::from_secs(1);

/// What comes next.
enum Next {
    /// More of the file.
    Chunk(Vec<u8>),
    /// The end of it.
    End,
    /// Nothing for a while.
    Silence,
    /// The server ends the stream.
    Closing(ClosingReason),
}

/// The answers to a file. The next piece is taken when the answers to those before are, so that a client who reads none is not read
/// either.
pub(super) fn answers(
    app: Arc<App>,
    call: Call,
    ends: Ends,
    mut pieces: Streaming<pb::ImportContactsRequest>,
) -> impl Stream<Item = Answer> + Send {
    stream! {
        let mut session = match begin(app, &call, &mut pieces).await {
            Ok(session) => session,
            Err(status) => {
                yield Err(status);
                return;
            }
        };
        let import_id = session.import_id();
        yield Ok(session.answer(Frame::Opened(pb::ContactImportOpened { import_id })));
        loop {
            match next(&ends, &session, &mut pieces).await {
                Err(status) => {
                    yield Err(status);
                    return;
                }
                Ok(Next::Closing(reason)) => {
                    yield Ok(closing(&session, reason));
                    return;
                }
                Ok(Next::Silence) if session.waits() => session.flush_next(),
                Ok(Next::Silence) => {
                    let beat_time = Some(proto_time(session.now()));
                    yield Ok(session.answer(Frame::Heartbeat(StreamHeartbeat { beat_time })));
                    continue;
                }
                Ok(Next::Chunk(bytes)) => session.take(bytes),
                Ok(Next::End) => session.end(),
            }
            loop {
                match session.advance().await {
                    Ok(Some(frame)) => yield Ok(session.answer(frame)),
                    Ok(None) => break,
                    Err(fault) if matches!(fault.code(), Code::Unavailable | Code::DeadlineExceeded) => {
                        yield Ok(closing(&session, ClosingReason::Unavailable));
                        return;
                    }
                    Err(fault) => {
                        yield Err(fault.into());
                        return;
                    }
                }
                if let Some(reason) = ends.due() {
                    yield Ok(closing(&session, reason));
                    return;
                }
            }
            if session.ended() {
                yield finished(&session).await;
                return;
            }
        }
    }
}

/// The first piece says how.
async fn begin(
    app: Arc<App>,
    call: &Call,
    pieces: &mut Streaming<pb::ImportContactsRequest>,
) -> Result<Session, Status> {
    match pieces.message().await?.and_then(|request| request.frame) {
        Some(Piece::Start(start)) => Ok(Session::begin(app, call, &start).await?),
        _ => Err(Fault::invalid("start", "must be the first frame").into()),
    }
}

async fn next(
    ends: &Ends,
    session: &Session,
    pieces: &mut Streaming<pb::ImportContactsRequest>,
) -> Result<Next, Status> {
    let silence = if session.waits() { ROWS_WAIT } else { HEARTBEAT };
    let request = tokio::select! {
        biased;
        () = ends.come() => return Ok(Next::Closing(ends.due().unwrap_or(ClosingReason::Shutdown))),
        request = pieces.message() => request?,
        () = tokio::time::sleep(silence) => return Ok(Next::Silence),
    };
    match request.and_then(|request| request.frame) {
        Some(Piece::Chunk(bytes)) => Ok(Next::Chunk(bytes)),
        Some(Piece::Start(_)) => Err(Fault::invalid("start", "may come once, as the first frame").into()),
        None => Ok(Next::End),
    }
}

async fn finished(session: &Session) -> Answer {
    session.finish().await?;
    let counts = Some(proto_counts(session.counts()));
    Ok(session.answer(Frame::Finished(pb::ContactImportFinished { counts })))
}

fn closing(session: &Session, reason: ClosingReason) -> pb::ImportContactsResponse {
    session.answer(Frame::Closing(StreamClosing { reason: reason.into() }))
}
