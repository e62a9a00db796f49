//! Calling another service: the same code whether it runs in this process or behind a network.
//!
//! A question inside a request carries the caller's own token, so that the peer decides as for that person. What a
//! service does for itself carries a short token with the role `service`.

mod service;
mod switchboard;
mod token;

use std::time::Duration;

use http::Uri;
use kernel::OrgId;
use tonic::transport::{Channel, Endpoint};

use crate::Call;
use service::Authorization;

pub use service::PeerService;
pub use switchboard::Switchboard;
pub use token::ServiceTokens;

/// An endpoint that soon notices when nobody is there, or not any more.
pub fn attentive(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(Duration::from_secs(2))
        .tcp_nodelay(true)
        .tcp_keepalive(Some(Duration::from_secs(30)))
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(5))
        .keep_alive_while_idle(true)
}

/// Another service. Cheap to clone.
#[derive(Clone)]
pub struct Peer {
    route: Route,
    tokens: ServiceTokens,
}

#[derive(Clone)]
enum Route {
    Network(Channel),
    Local(Switchboard),
}

impl Peer {
    /// A service behind a network. Connects when first needed, and again whenever the connection is lost.
    pub fn channel(uri: Uri, tokens: ServiceTokens) -> Self {
        Self::over(attentive(Endpoint::from(uri)).connect_lazy(), tokens)
    }

    /// The same over connections that somebody else makes, as encrypted ones are. They should be [`attentive`].
    pub fn over(channel: Channel, tokens: ServiceTokens) -> Self {
        Self { route: Route::Network(channel), tokens }
    }

    /// A service in this process.
    pub fn local(switchboard: Switchboard, tokens: ServiceTokens) -> Self {
        Self { route: Route::Local(switchboard), tokens }
    }

    /// For a question inside a request: the caller's own token, and what is left of the caller's time.
    pub fn on_behalf(&self, call: &Call) -> PeerService {
        PeerService::new(self.route.clone(), Authorization::Caller(call.caller.clone()), call.remaining())
    }

    /// For what the service does by itself in an organization, such as delivering events: a token with the role `service`.
    pub fn as_service(&self, org: &OrgId, time: Duration) -> PeerService {
        PeerService::new(self.route.clone(), Authorization::Service(self.tokens.clone(), org.clone()), time)
    }
}
