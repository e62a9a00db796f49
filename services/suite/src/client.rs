//! How the commands call the API: where it is, as whom, and with which patience.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use kernel::Clock;
use runtime::tls::{Dialer, Unusable};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::failure::Failure;

mod lists;
mod patience;
mod services;

pub(crate) use lists::teams;
pub(crate) use patience::{Pace, is_passing, patiently};

const SERVICES: [&str; 4] = ["contacts", "routing", "notes", "notifications"];

/// Where `backchannel up` serves.
const ADDR: &str = "127.0.0.1:50051";

/// Where the API is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AddressFlags {
    /// Where the API is: `backchannel up`, or the edge
    #[arg(long, value_name = "ADDR", env = "BACKCHANNEL_ADDR", default_value = ADDR)]
    addr: String,
    /// Where one service is, if not at --addr: contacts, routing, notes or notifications
    #[arg(long = "at", value_name = "SERVICE=ADDR", value_parser = service_address)]
    at: Vec<(String, String)>,
    /// Who must have signed the certificates at https:// addresses (PEM), if not one that the system trusts
    #[arg(long, value_name = "FILE", env = "BACKCHANNEL_AUTHORITY")]
    authority: Option<PathBuf>,
}

fn service_address(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((service, address)) if SERVICES.contains(&service) => {
            Ok((service.to_owned(), address.to_owned()))
        }
        _ => Err(format!("{text:?} is not SERVICE=ADDR with one of {}", SERVICES.join(", "))),
    }
}

impl AddressFlags {
    /// The flags that lead to the same place again, where they are not the defaults.
    pub(crate) fn repeated(&self) -> String {
        let addr = if self.addr == ADDR { String::new() } else { format!(" --addr {}", self.addr) };
        let at = self.at.iter().map(|(service, address)| format!(" --at {service}={address}"));
        let authority = self.authority.iter().map(|file| format!(" --authority {}", file.display()));
        std::iter::once(addr).chain(at).chain(authority).collect()
    }

    /// Connects, and fails at once where nobody listens.
    pub(crate) async fn connect(&self) -> Result<Wire, Failure> {
        let own =
            |service: &str| self.at.iter().find(|(name, _)| name == service).map(|(_, address)| address);
        let dialer = || Dialer::trusting(self.authority.as_deref(), &Clock::system());
        Wire::connect_by(dialer, |service| own(service).unwrap_or(&self.addr).clone()).await
    }
}

/// Connections to the API: one to each service, wherever it is.
#[derive(Debug, Clone)]
pub struct Wire {
    channels: BTreeMap<&'static str, Channel>,
}

impl Wire {
    /// Connects to each service at the address which `address_of` gives for it, as `host:port` or a URI.
    ///
    /// # Errors
    /// [`Failure`] where an address is not one, or nobody answers there.
    pub async fn connect(address_of: impl Fn(&str) -> String) -> Result<Self, Failure> {
        Self::connect_by(|| Dialer::trusting(None, &Clock::system()), address_of).await
    }

    /// The same, where connections to `https://` addresses are made by this dialer.
    ///
    /// # Errors
    /// As [`Wire::connect`], and where there is no dialer.
    pub async fn connect_by(
        dialer: impl Fn() -> Result<Dialer, Unusable>,
        address_of: impl Fn(&str) -> String,
    ) -> Result<Self, Failure> {
        let mut channels = BTreeMap::new();
        for service in SERVICES {
            let address = address_of(service);
            let uri = if address.contains("://") { address.clone() } else { format!("http://{address}") };
            let uri: Uri = uri.parse().map_err(|error| Failure::because(&address, error))?;
            let patient = |it: Endpoint| it.tcp_nodelay(true).connect_timeout(Duration::from_secs(5));
            let channel = if uri.scheme() == Some(&Scheme::HTTPS) {
                let dialer = dialer().map_err(|error| Failure::because("the authority", error))?;
                patient(Dialer::endpoint(uri)).connect_with_connector(dialer).await
            } else {
                patient(Endpoint::from(uri)).connect().await
            };
            channels.insert(service, channel.map_err(|error| unconnected(&address, &error))?);
        }
        Ok(Self { channels })
    }

    /// The connection to the service that serves an RPC path such as `/backchannel.notes.v1.NoteService/GetNote`.
    #[must_use]
    pub fn channel_for(&self, path: &str) -> Option<Channel> {
        let package = path.trim_start_matches("/backchannel.").split('.').next()?;
        self.channels.get(package).cloned()
    }

    /// The API as the bearer of a token sees it.
    ///
    /// # Errors
    /// [`Failure`] where the token cannot be a header's value.
    pub fn bearing(&self, token: &str) -> Result<Session, Failure> {
        let value =
            format!("Bearer {token}").parse().map_err(|error| Failure::because("the token", error))?;
        Ok(Session { wire: self.clone(), bearer: Bearer(value) })
    }
}

/// Why nobody can be called there, and what to do.
fn unconnected(address: &str, error: &(dyn Error + 'static)) -> Failure {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let untrusted = causes
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .find(|it| it.kind() == io::ErrorKind::InvalidData);
    if let Some(why) = untrusted {
        let advice =
            "name who signed its certificate with --authority FILE, and call it by a name that it is for";
        return Failure(format!("no TLS with {address}: {why}; {advice}"));
    }
    let elsewhere = "where it is with --addr ADDR, or a single service with --at SERVICE=ADDR";
    Failure(format!("nobody answers at {address}: start `backchannel up` there, or say {elsewhere}"))
}

/// Adds the token to each call.
#[derive(Debug, Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A connection that carries a token.
pub type Authorized = InterceptedService<Channel, Bearer>;

/// The API as one person.
#[derive(Debug, Clone)]
pub struct Session {
    wire: Wire,
    bearer: Bearer,
}

impl Session {
    fn to(&self, service: &str) -> Authorized {
        InterceptedService::new(self.wire.channels[service].clone(), self.bearer.clone())
    }
}
