//! The listener: gRPC over HTTP/2 and gRPC-Web over HTTP/1.1 or 2, on one port.
//!
//! Our own accept loop, because tonic's ends in two ways that hurt: with a shutdown signal it waits for open streams
//! for ever, and with a maximal age it cuts connections without GOAWAY, so that callers see errors.

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::config::Connections;

/// How long a ping may stay unanswered.
const PING_ANSWER: Duration = Duration::from_secs(10);

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
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let builder = Arc::new(protocols(bounds));
    let first_request = Duration::from_millis(bounds.first_request_ms);
    let places = Arc::new(Semaphore::new(bounds.open));
    let connections = TaskTracker::new();
    loop {
        let (place, stream) = tokio::select! {
            () = stop.finish.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (builder, app, stop) = (Arc::clone(&builder), app.clone(), stop.clone());
        connections.spawn(async move {
            if speaks_within(&stream, first_request, &stop).await {
                converse(stream, &builder, app, stop).await;
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

/// Whether the first byte comes in time: hyper itself waits for it without end.
async fn speaks_within(stream: &TcpStream, wait: Duration, stop: &ServeStop) -> bool {
    let mut byte = [0];
    tokio::select! {
        () = stop.finish.cancelled() => false,
        // Not `readable()`, which may say so too early.
        first = tokio::time::timeout(wait, stream.peek(&mut byte)) => matches!(first, Ok(Ok(1))),
    }
}

async fn converse<S, B>(stream: TcpStream, builder: &Builder<TokioExecutor>, app: S, stop: ServeStop)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    tokio::pin!(connection);
    let mut finishing = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            () = stop.finish.cancelled(), if !finishing => {
                finishing = true;
                connection.as_mut().graceful_shutdown();
            }
            () = stop.cut.cancelled() => return,
        }
    }
}
