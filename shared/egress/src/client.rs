//! One request, one answer.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kernel::Malformed;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::BoxFuture;
use crate::answer::Answer;
use crate::connect::Connector;
use crate::failure::Failure;
use crate::network::{Network, System};
use crate::settings::{EgressSettings, Unusable};
use crate::url::{Url, check};

/// The most of an answer's body that is read, in bytes.
pub const ANSWER_LIMIT: usize = 64 * 1024;

/// Open connections kept for one host, and for how long.
const IDLE: usize = 4;
const IDLE_FOR: Duration = Duration::from_secs(30);

/// What we call ourselves.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("Backchannel/", env!("CARGO_PKG_VERSION")));

/// Sends requests to addresses that others chose. A clone is the same: it shares the open connections.
#[derive(Clone)]
pub struct Egress {
    client: Client<Connector, Full<Bytes>>,
    settings: Arc<EgressSettings>,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Egress {
    /// Over the machine's network.
    ///
    /// # Errors
    /// [`Unusable`] settings.
    pub fn new(settings: &EgressSettings) -> Result<Self, Unusable> {
        Self::over(Arc::new(System), settings)
    }

    /// Over a network of the caller's making.
    ///
    /// # Errors
    /// [`Unusable`] settings.
    pub fn over(network: Arc<dyn Network>, settings: &EgressSettings) -> Result<Self, Unusable> {
        if settings.allow_private_addresses {
            tracing::warn!(
                "egress.allow_private_addresses: who may name a URL reaches what this process reaches"
            );
        }
        let settings = Arc::new(settings.clone());
        let connector = Connector { network, tls: tls(&settings)?, settings: Arc::clone(&settings) };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE)
            .http1_max_buf_size(ANSWER_LIMIT)
            .build(connector);
        Ok(Self { client, settings })
    }

    /// Reads a URL that somebody names for later.
    ///
    /// # Errors
    /// [`Malformed`], in words for them. What the name resolves to is not looked at: it may change, and is checked at each connect.
    pub fn admit(&self, url: &str) -> Result<Url, Malformed> {
        Url::parse(url, &self.settings)
    }

    /// Sends a request, its URI absolute, and reads the answer, whatever its status. `Host` and `Content-Length` come by themselves.
    ///
    /// # Errors
    /// [`Failure`] if no answer came.
    pub fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Answer, Failure>> {
        Box::pin(self.exchange(request))
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, Failure> {
        check(request.uri(), &self.settings).map_err(|_| Failure::BadUrl)?;
        let mut request = request.map(Full::new);
        request.headers_mut().entry(header::USER_AGENT).or_insert(USER_AGENT);
        let end = Instant::now() + self.settings.timeout();
        let answered = timeout_at(end, self.client.request(request)).await;
        let answer = answered.map_err(|_| Failure::Timeout)?.map_err(|error| failure(&error))?;
        Ok(read(answer, end).await)
    }
}

/// Reads the body until it ends, is too long, breaks or takes too long. The status has been said by then: it counts in any case.
async fn read(answer: Response<Incoming>, end: Instant) -> Answer {
    let (parts, mut body) = answer.into_parts();
    let (mut bytes, mut whole) = (BytesMut::new(), false);
    loop {
        match timeout_at(end, body.frame()).await {
            Ok(None) => {
                whole = true;
                break;
            }
            Ok(Some(Ok(frame))) => {
                let Some(data) = frame.data_ref() else { continue };
                let room = ANSWER_LIMIT - bytes.len();
                bytes.extend_from_slice(&data[..data.len().min(room)]);
                if data.len() > room {
                    break;
                }
            }
            Ok(Some(Err(_))) | Err(_) => break,
        }
    }
    Answer { status: parts.status, headers: parts.headers, body: bytes.freeze(), whole }
}

/// What the connector said, or that the connection broke.
fn failure(error: &ClientError) -> Failure {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return *failure;
        }
        cause = error.source();
    }
    Failure::Broken
}

/// TLS with the authorities of the system and of the settings. A system without any is no reason not to start: calls that need one
/// fail and say so.
fn tls(settings: &EgressSettings) -> Result<TlsConnector, Unusable> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if let Some(file) = &settings.roots {
        let unusable = |error: &dyn fmt::Display| Unusable::Roots(format!("{}: {error}", file.display()));
        let mut own = 0;
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))? {
            let certificate = certificate.map_err(|error| unusable(&error))?;
            roots.add(certificate).map_err(|error| unusable(&error))?;
            own += 1;
        }
        if own == 0 {
            return Err(unusable(&"no certificate in it"));
        }
    }
    if roots.is_empty() {
        tracing::warn!(
            "this machine trusts no certificate authority: every https call will fail; install ca-certificates or set egress.roots"
        );
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Unusable::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
