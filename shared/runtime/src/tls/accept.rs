//! Handshakes with those who call. Each has its time, and all of them together their places.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use crate::config::Connections;

/// A connection, as it came or decrypted.
pub(crate) type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Encrypts connections, with the certificate that is in force when they come. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Acceptor {
    config: watch::Receiver<Arc<ServerConfig>>,
    places: Arc<Semaphore>,
    patience: Duration,
}

impl Acceptor {
    pub(super) fn new(config: watch::Receiver<Arc<ServerConfig>>, bounds: &Connections) -> Self {
        Self {
            config,
            places: Arc::new(Semaphore::new(bounds.handshakes)),
            patience: Duration::from_millis(bounds.handshake_ms),
        }
    }

    /// The connection, decrypted. `None` if the handshake fails or takes too long; the connection is closed then.
    pub(crate) async fn encrypted(&self, stream: TcpStream) -> Option<Stream> {
        let outcome = match tokio::time::timeout(self.patience, self.handshake(stream)).await {
            Ok(Ok(stream)) => return Some(Either::Right(Box::new(stream))),
            Ok(Err(error)) => {
                // Plain text, or a certificate that is not good: whoever calls is told by an alert.
                tracing::debug!(%error, "no TLS with a caller");
                "failed"
            }
            Err(_) => "late",
        };
        metrics::counter!("tls_handshakes_refused_total", "outcome" => outcome).increment(1);
        None
    }

    async fn handshake(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        // Who has said nothing yet takes no place from those who have.
        stream.readable().await?;
        let _place = self.places.acquire().await;
        let config = Arc::clone(&self.config.borrow());
        TlsAcceptor::from(config).accept(stream).await
    }
}
