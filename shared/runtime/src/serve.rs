//! The listener: gRPC over HTTP/2 and gRPC-Web over HTTP/1.1 or 2, on one port, over TLS where that is configured.
//!
//! Our own accept loop, because tonic's ends in two ways that hurt: with a shutdown signal it waits for open streams
//! for ever, and with a maximal age it cuts connections without GOAWAY, so that callers see errors.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt};

use crate::config::Connections;
use crate::stalled::{Answers, Watched};
use crate::tls::{Acceptor, Stream};

/// How long a ping may stay unanswered.
const PING_ANSWER: Duration = Duration::from_secs(10);

/// For a first request that is on its way when the listener ends.
const LAST_CHANCE: Duration = Duration::from_secs(1);

/// After the kernel refused a connection, for want of file handles mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The two ways in which a listener is asked to end.
#[derive(Debug, Clone, Default)]
pub struct ServeStop {
    /// Accept no more, send GOAWAY, let the calls at work finish.
    pub finish: CancellationToken,
    /// Close what is still open.
    pub cut: CancellationToken,
}

/// Serves `app` on every connection until `stop`, and returns when the last connection is closed.
pub async fn serve<S, B>(listener: TcpListener, app: S, bounds: &Connections, stop: ServeStop)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: http_body::Body<Data = bytes::Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    serve_by(None, listener, app, bounds, stop).await;
}

/// The same, over TLS where there is an acceptor.
pub(crate) async fn serve_by<S, B>(
    acceptor: Option<Acceptor>,
    listener: TcpListener,
    app: S,
    bounds: &Connections,
    stop: ServeStop,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: http_body::Body<Data = bytes::Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let builder = Arc::new(protocols(bounds));
    let patience = Patience {
        first_request: Duration::from_millis(bounds.first_request_ms),
        stalled: Duration::from_millis(bounds.stalled_ms.max(1)),
    };
    let places = Arc::new(Semaphore::new(bounds.open));
    let connections = TaskTracker::new();
    loop {
        let (place, stream) = tokio::select! {
            () = stop.finish.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (builder, app, stop) = (Arc::clone(&builder), app.clone(), stop.clone());
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            if let Some(stream) = opened(stream, acceptor, &stop).await {
                converse(stream, &builder, app, patience, stop).await;
            }
            drop(place);
        });
    }
    // New connections are refused while the open ones finish.
    drop(listener);
    connections.close();
    connections.wait().await;
}

fn protocols(bounds: &Connections) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(bounds.first_request_ms))
        .max_buf_size((bounds.header_bytes as usize).max(8_192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_millis(bounds.keep_alive_ms))
        .keep_alive_timeout(PING_ANSWER)
        .max_concurrent_streams(bounds.streams)
        .max_header_list_size(bounds.header_bytes)
        .adaptive_window(false);
    builder
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (Option<tokio::sync::OwnedSemaphorePermit>, TcpStream) {
    // The semaphore is never closed, so there always is a permit.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => {
                // Frames are small and answers awaited: waiting to fill packets would add 40 ms.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "connection closed before it was served");
                }
                return (place, stream);
            }
            Err(error) => {
                tracing::warn!(%error, "no connection accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The connection as its bytes are to be read. `None` if it is none that can be.
async fn opened(stream: TcpStream, acceptor: Option<Acceptor>, stop: &ServeStop) -> Option<Stream> {
    let Some(acceptor) = acceptor else { return Some(Either::Left(stream)) };
    let last_chance = async {
        stop.finish.cancelled().await;
        tokio::select! {
            () = tokio::time::sleep(LAST_CHANCE) => {}
            () = stop.cut.cancelled() => {}
        }
    };
    tokio::select! {
        stream = acceptor.encrypted(stream) => stream,
        () = last_chance => None,
    }
}

/// The application of one connection, which remembers whether it was ever asked.
#[derive(Clone)]
struct Asked<S> {
    app: S,
    ever: Arc<AtomicBool>,
}

impl<S: Service<Request<Incoming>>> Service<Request<Incoming>> for Asked<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.app.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Incoming>) -> S::Future {
        self.ever.store(true, Ordering::Relaxed);
        self.app.call(request)
    }
}

/// What a connection is waited for.
#[derive(Clone, Copy)]
struct Patience {
    first_request: Duration,
    stalled: Duration,
}

/// Serves one connection until it ends. It is cut when no request came in time (hyper itself waits without end for the
/// preface, and then for the first stream), and when an answer waits too long for its reader.
async fn converse<S, B>(
    stream: Stream,
    builder: &Builder<TokioExecutor>,
    app: S,
    patience: Patience,
    stop: ServeStop,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: http_body::Body<Data = bytes::Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let answers = Answers::default();
    let watched = answers.clone();
    let app =
        app.map_response(move |response: Response<B>| response.map(|body| Watched::over(body, &watched)));
    let ever = Arc::new(AtomicBool::new(false));
    let app = Asked { app, ever: Arc::clone(&ever) };
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let first_request = tokio::time::sleep(patience.first_request);
    let mut look = tokio::time::interval(patience.stalled / 3);
    tokio::pin!(connection, first_request);
    let (mut finishing, mut patient) = (false, true);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            () = first_request.as_mut(), if patient => {
                if !ever.load(Ordering::Relaxed) {
                    return;
                }
                patient = false;
            }
            _ = look.tick() => if answers.any_stalled(patience.stalled) {
                metrics::counter!("connections_stalled_total").increment(1);
                tracing::info!("connection cut: its reader takes nothing");
                return;
            },
            () = stop.finish.cancelled(), if !finishing => {
                finishing = true;
                connection.as_mut().graceful_shutdown();
                // One that was never asked anything may be silent for good: it must not hold up the end.
                let soon = (Instant::now() + LAST_CHANCE).min(first_request.deadline());
                first_request.as_mut().reset(soon);
            }
            () = stop.cut.cancelled() => return,
        }
    }
}
