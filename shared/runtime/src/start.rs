//! Putting a process together: services, stack, listeners, workers.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use futures::future::BoxFuture;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use kernel::Clock;
use outbox::Wake;
use rpc::{Health, Peer, Policy, ServiceTokens, Signer, Switchboard};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::service::Routes;

use crate::config::{Config, ConfigError, PeerAddresses};
use crate::credentials::Credentials;
use crate::error::StartError;
use crate::internal::{self, Readiness};
use crate::serve::{ServeStop, serve_by};
use crate::service::{Databases, Deps, Service, Unit};
use crate::tls::{Acceptor, Dialer, Tls};
use crate::worker::{Crew, Stage};

/// A process that serves. [`Running::stop`] ends it in order; dropping it cuts everything off.
pub struct Running {
    /// Where gRPC is served.
    pub grpc: SocketAddr,
    /// Where metrics and probes are served.
    pub metrics: SocketAddr,
    /// Signs with the development key or the configured one, for tests and the command line.
    pub signer: Signer,
    pub(crate) balancer_wait: Duration,
    pub(crate) ready: Readiness,
    pub(crate) health: Health,
    pub(crate) streams_end: CancellationToken,
    pub(crate) claiming: Crew,
    pub(crate) draining: Crew,
    pub(crate) public: Listening,
    pub(crate) internal: Listening,
    pub(crate) databases: Databases,
    pub(crate) upkeep: DropGuard,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("grpc", &self.grpc)
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}

/// One listener at work.
pub(crate) struct Listening {
    pub(crate) stop: ServeStop,
    pub(crate) served: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.finish.cancel();
        self.stop.cut.cancel();
    }
}

/// Starts the services of `units` in this process, on one port. Returns when they serve.
///
/// # Errors
/// [`StartError`]; nothing is left running then.
// Not `async fn`: the body of one is compiled again in each crate that awaits it.
pub fn start(
    config: Config,
    clock: Clock,
    units: Vec<Unit>,
) -> BoxFuture<'static, Result<Running, StartError>> {
    Box::pin(put_together(config, clock, units))
}

async fn put_together(config: Config, clock: Clock, units: Vec<Unit>) -> Result<Running, StartError> {
    let recorder = internal::recorder().map_err(|error| StartError::Process(error.to_string()))?;
    // What may be wrong is found before anything is written: settings, addresses, keys, and only then databases.
    for unit in &units {
        (unit.check)(&config)?;
    }
    let tls = Tls::of(&config, &clock)?;
    let listener = bind("listen", config.listen).await?;
    let internal_listener = bind("metrics", config.metrics).await?;
    let (grpc, metrics) = (
        address_of("listen", &listener, config.listen)?,
        address_of("metrics", &internal_listener, config.metrics)?,
    );
    private_folder(&config)?;
    let credentials = Credentials::read(&config, &clock)?;
    let wake = match &config.nats {
        Some(address) => {
            Wake::nats(address.reveal()).map_err(|error| ConfigError::bad_value("nats", error))?
        }
        None => Wake::local(),
    };

    let streams_end = CancellationToken::new();
    let databases = Databases::of(&config);
    let switchboard = Switchboard::new();
    let local: Vec<&'static str> = units.iter().map(Unit::name).collect();
    let others =
        Others { local: &local, switchboard: &switchboard, dialer: tls.as_ref().map(|tls| &tls.dialer) };
    let mut depended = Vec::with_capacity(units.len());
    for unit in &units {
        depended.push(Deps {
            clock: clock.clone(),
            wake: wake.clone(),
            seal: credentials.seal.clone(),
            streams_end: streams_end.clone(),
            service: unit.name,
            peers: others.known_to(unit.name, &config.peers, &credentials)?,
            databases: databases.clone(),
        });
    }
    let mut services = Vec::with_capacity(units.len());
    for (unit, deps) in units.iter().zip(depended) {
        services.push((unit.name, (unit.build)(config.clone(), deps).await?));
    }

    let health_names = services.iter().flat_map(|(_, service)| service.health.clone()).collect();
    let (routes, health) = rpc::with_health(merged(&services), health_names).await;
    let policy = Policy::new(credentials.verifier.clone(), clock).with_limits(config.limits.clone());
    let (routes, policy) = if config.public_reflection {
        (with_reflection(routes)?, policy.with_reflection())
    } else {
        (routes, policy)
    };
    let stack = rpc::stack(routes, policy);
    switchboard.connect(&stack);

    let ready = Readiness::default();
    let upkeep = CancellationToken::new();
    tokio::spawn(internal::keep_up(recorder.clone(), upkeep.clone()));
    if let Some(key_set) = credentials.key_set.clone() {
        tokio::spawn(key_set.keep_up(credentials.verifier.clone(), upkeep.clone()));
    }
    let acceptor = tls.map(|tls| {
        tokio::spawn(tls.renewal.keep_up(upkeep.clone()));
        tls.acceptor
    });
    let probes = internal::routes(recorder, ready.clone(), credentials.public_keys.clone());
    let internal_app = with_reflection(Routes::default())?.into_axum_router().merge(probes);
    let internal = listen(None, internal_listener, internal_app, &config);
    let public = listen(acceptor.flatten(), listener, rpc::edge(stack), &config);
    let (mut claiming, mut draining) = (Crew::new(), Crew::new());
    for (name, service) in &services {
        claiming.join(name, &service.workers, Stage::Claiming);
        draining.join(name, &service.workers, Stage::Draining);
    }
    health.serving().await;
    ready.set(true);
    Ok(Running {
        grpc,
        metrics,
        signer: credentials.signer.clone(),
        balancer_wait: config.shutdown.balancer_wait(),
        ready,
        health,
        streams_end,
        claiming,
        draining,
        public,
        internal,
        databases,
        upkeep: upkeep.drop_guard(),
    })
}

/// Makes the data folder, for its owner only, if the process keeps anything there. One that is there stays as it is.
pub(crate) fn private_folder(config: &Config) -> Result<(), StartError> {
    let kept = config.database.is_none() || config.keys.signing.is_none();
    if !kept || config.data.is_dir() {
        return Ok(());
    }
    if config.data.exists() {
        let reason =
            format!("{} is a file; name a folder, there or to be made, with --data", config.data.display());
        return Err(ConfigError::bad_value("data", reason).into());
    }
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(&config.data).map_err(|error| {
        let reason =
            format!("the folder {} cannot be made: {error}; name another with --data", config.data.display());
        ConfigError::bad_value("data", reason).into()
    })
}

async fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| StartError::Listen { key, address, error })
}

fn address_of(
    key: &'static str,
    listener: &TcpListener,
    address: SocketAddr,
) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|error| StartError::Listen { key, address, error })
}

/// The services around one.
struct Others<'a> {
    local: &'a [&'static str],
    switchboard: &'a Switchboard,
    dialer: Option<&'a Dialer>,
}

impl Others<'_> {
    /// Where `service` finds them: in this process if they run here, else at their configured address. Each service signs its own calls.
    fn known_to(
        &self,
        service: &'static str,
        addresses: &PeerAddresses,
        credentials: &Credentials,
    ) -> Result<HashMap<&'static str, Peer>, StartError> {
        let tokens = credentials.tokens_of(service)?;
        let mut peers = HashMap::new();
        for (name, address) in addresses.all() {
            if self.local.contains(&name) {
                peers.insert(name, Peer::local(self.switchboard.clone(), tokens.clone()));
            } else if let Some(address) = address {
                let uri: Uri = address
                    .parse()
                    .map_err(|error| ConfigError::bad_value(&format!("peers.{name}"), error))?;
                peers.insert(name, peer_at(uri, self.dialer, tokens.clone()));
            }
        }
        Ok(peers)
    }
}

/// A peer behind a network, encrypted where its address says so.
pub(crate) fn peer_at(uri: Uri, dialer: Option<&Dialer>, tokens: ServiceTokens) -> Peer {
    match dialer {
        Some(dialer) if uri.scheme() == Some(&Scheme::HTTPS) => {
            let endpoint = rpc::peer::attentive(Dialer::endpoint(uri));
            Peer::over(endpoint.connect_with_connector_lazy(dialer.clone()), tokens)
        }
        _ => Peer::channel(uri, tokens),
    }
}

/// All services' routes as one. Each brings the same answer for unknown paths, of which only one may remain.
fn merged(services: &[(&'static str, Service)]) -> Routes {
    let merged = services.iter().fold(Routes::default().into_axum_router(), |all, (_, service)| {
        all.merge(service.routes.clone().into_axum_router().reset_fallback())
    });
    merged.into()
}

fn with_reflection(routes: Routes) -> Result<Routes, StartError> {
    rpc::with_reflection(routes).map_err(|error| StartError::Process(error.to_string()))
}

fn listen<S, B>(acceptor: Option<Acceptor>, listener: TcpListener, app: S, config: &Config) -> Listening
where
    S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: http_body::Body<Data = bytes::Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stop = ServeStop::default();
    let (bounds, asked) = (config.connections.clone(), stop.clone());
    let served = tokio::spawn(async move { serve_by(acceptor, listener, app, &bounds, asked).await });
    Listening { stop, served }
}
