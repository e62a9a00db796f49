//! Resolve, check, dial, TLS: in this order, and what was checked is what is dialled.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tower::Service;

use crate::BoxFuture;
use crate::failure::Failure;
use crate::network::Network;
use crate::settings::EgressSettings;
use crate::special::is_special;
use crate::url::{bare, check};

/// The most addresses of one name that are tried.
const ADDRESSES: usize = 4;

/// Makes connections for the client's pool.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) network: Arc<dyn Network>,
    pub(crate) tls: TlsConnector,
    pub(crate) settings: Arc<EgressSettings>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Self::Response, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let connected = tokio::time::timeout(connector.settings.connect(), connector.connect(&uri));
            connected.await.unwrap_or(Err(Failure::Timeout)).map(TokioIo::new)
        })
    }
}

impl Connector {
    async fn connect(&self, uri: &Uri) -> Result<Stream, Failure> {
        check(uri, &self.settings).map_err(|_| Failure::BadUrl)?;
        let host = bare(uri.host().unwrap_or_default());
        let encrypted = uri.scheme() == Some(&Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let addresses = self.addresses(host).await?;
        let stream = self.dial(&addresses, port).await?;
        if !encrypted {
            return Ok(Stream::Plain(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Failure::BadUrl)?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| tls_failure(&error))?;
        Ok(Stream::Tls(Box::new(stream)))
    }

    /// The addresses that may be dialled. Those of a name that are special are passed over, and when nothing else is left, the name is
    /// refused.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let found = match host.parse() {
            Ok(literal) => vec![literal],
            Err(_) => self.network.resolve(host).await.map_err(|_| Failure::Unresolved)?,
        };
        if found.is_empty() {
            return Err(Failure::Unresolved);
        }
        let allowed = |address: &IpAddr| self.settings.allow_private_addresses || !is_special(*address);
        let addresses: Vec<IpAddr> = found.into_iter().filter(allowed).take(ADDRESSES).collect();
        if addresses.is_empty() { Err(Failure::SpecialAddress) } else { Ok(addresses) }
    }

    /// The first that answers. Each but the last has its share of the time, so that one that is silent does not take it all.
    async fn dial(&self, addresses: &[IpAddr], port: u16) -> Result<TcpStream, Failure> {
        let share = self.settings.connect() / u32::try_from(addresses.len() + 1).unwrap_or(u32::MAX);
        let share = share.max(Duration::from_millis(1));
        for address in addresses {
            let dialled = self.network.dial(SocketAddr::new(*address, port));
            if let Ok(Ok(stream)) = tokio::time::timeout(share, dialled).await {
                return Ok(stream);
            }
        }
        Err(Failure::Unconnected)
    }
}

/// A connection that ends in the middle of the handshake is no matter of certificates.
fn tls_failure(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::InvalidData => Failure::Tls,
        _ => Failure::Broken,
    }
}

/// A connection, encrypted or not.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
