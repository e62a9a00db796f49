//! What rustls is told: both sides of a connection, from the same files.

use std::sync::Arc;
use std::time::Duration;

use kernel::Clock;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::time_provider::TimeProvider;
use tokio_rustls::rustls::{ClientConfig, ServerConfig};

use super::files::{Identity, Material, Unusable};

/// HTTP/2, as gRPC wants it.
pub(super) const H2: &[u8] = b"h2";

/// For gRPC-Web.
const HTTP1: &[u8] = b"http/1.1";

/// What a process serves and calls with.
pub(super) struct Settings {
    pub(super) server: Option<Arc<ServerConfig>>,
    pub(super) client: Arc<ClientConfig>,
}

impl Settings {
    pub(super) fn of(material: &Material, mutual: bool, clock: &Clock) -> Result<Self, Unusable> {
        let server = match &material.identity {
            Some(identity) => Some(Arc::new(server(identity, material, mutual, clock)?)),
            None => None,
        };
        Ok(Self { server, client: Arc::new(client(material, clock)?) })
    }
}

/// What signs and encrypts; the one that is in the tree.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn server(
    identity: &Identity,
    material: &Material,
    mutual: bool,
    clock: &Clock,
) -> Result<ServerConfig, Unusable> {
    let builder = ServerConfig::builder_with_details(provider(), time(clock))
        .with_safe_default_protocol_versions()
        .map_err(|error| Unusable::because("tls", error))?;
    let builder = if mutual {
        let callers = WebPkiClientVerifier::builder_with_provider(material.roots()?, provider())
            .build()
            .map_err(|error| Unusable::because("tls.authority", error))?;
        builder.with_client_cert_verifier(callers)
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .map_err(|error| Unusable::because("tls.key", error))?;
    config.alpn_protocols = vec![H2.to_vec(), HTTP1.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn client(material: &Material, clock: &Clock) -> Result<ClientConfig, Unusable> {
    let builder = ClientConfig::builder_with_details(provider(), time(clock))
        .with_safe_default_protocol_versions()
        .map_err(|error| Unusable::because("tls", error))?
        .with_root_certificates(material.roots()?);
    let mut config = match &material.identity {
        Some(identity) => builder
            .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
            .map_err(|error| Unusable::because("tls.key", error))?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![H2.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Certificates are good or not by the clock that everything else goes by.
#[derive(Debug)]
struct ByClock(Clock);

fn time(clock: &Clock) -> Arc<dyn TimeProvider> {
    Arc::new(ByClock(clock.clone()))
}

impl TimeProvider for ByClock {
    fn current_time(&self) -> Option<UnixTime> {
        let micros = u64::try_from(self.0.now().as_micros()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_micros(micros)))
    }
}
