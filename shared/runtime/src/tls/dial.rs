//! Encrypted connections to peers.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::Uri;
use http::uri::Scheme;
use hyper_util::rt::TokioIo;
use kernel::Clock;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tonic::transport::Endpoint;
use tower::Service;

use super::files::Unusable;
use super::settings::{H2, Settings};
use super::{Material, renewed};
use crate::config::TlsFiles;

/// Makes encrypted connections, with the files as they are when it does. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Dialer(watch::Receiver<Arc<ClientConfig>>);

impl Dialer {
    pub(super) fn new(config: watch::Receiver<Arc<ClientConfig>>) -> Self {
        Self(config)
    }

    /// For commands, which end before a file changes: trusts whom `authority` (PEM) signed, or else whom the system trusts.
    ///
    /// # Errors
    /// [`Unusable`] where there is no certificate in the file.
    pub fn trusting(authority: Option<&Path>, clock: &Clock) -> Result<Self, Unusable> {
        Self::with(&TlsFiles { authority: authority.map(Path::to_owned), ..TlsFiles::default() }, clock)
    }

    /// The same, with a certificate of its own to show.
    ///
    /// # Errors
    /// [`Unusable`], naming what is wrong with which file.
    pub fn with(files: &TlsFiles, clock: &Clock) -> Result<Self, Unusable> {
        let settings = Settings::of(&Material::read(files)?, false, clock)?;
        Ok(Self(renewed(None, settings.client).1.client))
    }

    /// An endpoint whose connections this makes. tonic would make TLS of its own out of `https`, with files that are read once.
    pub fn endpoint(uri: Uri) -> Endpoint {
        let mut plain = uri.clone().into_parts();
        plain.scheme = Some(Scheme::HTTP);
        match Uri::from_parts(plain) {
            Ok(plain) => Endpoint::from(plain).origin(uri),
            Err(_) => Endpoint::from(uri),
        }
    }

    /// One connection. An error of the kind `InvalidData` is about certificates or what is spoken there; others are about the network.
    pub(crate) async fn dial(&self, uri: &Uri) -> io::Result<TlsStream<TcpStream>> {
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
        let host = uri.host().ok_or_else(|| wrong("no host"))?.trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| wrong("no name of a host"))?;
        let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(443))).await?;
        stream.set_nodelay(true)?;
        let config = Arc::clone(&self.0.borrow());
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        if stream.get_ref().1.alpn_protocol() != Some(H2) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no HTTP/2 is spoken there"));
        }
        Ok(stream)
    }
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialer = self.clone();
        Box::pin(async move { dialer.dial(&uri).await.map(TokioIo::new) })
    }
}
