//! What a port serves besides the contracts: health, reflection, and gRPC-Web for browsers.

use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};
use tonic_web::{GrpcWebLayer, GrpcWebService};
use tower::Layer;

use crate::Stack;

/// The health service, which probes call without a token.
pub(crate) const HEALTH: &str = "grpc.health.v1.Health";

/// Reflection, by the names of its two versions.
pub(crate) const REFLECTION: [&str; 2] =
    ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// Takes gRPC-Web as well as gRPC: outermost, as it only translates what arrives. CORS is the gateway's business.
pub fn edge(stack: Stack) -> GrpcWebService<Stack> {
    GrpcWebLayer::new().layer(stack)
}

/// What the health service answers, per service and as a whole.
#[derive(Clone)]
pub struct Health {
    reporter: HealthReporter,
    services: Vec<&'static str>,
}

impl Health {
    /// All services and the whole are SERVING.
    pub async fn serving(&self) {
        self.set(ServingStatus::Serving).await;
    }

    /// All services and the whole are NOT_SERVING: the balancer shall look elsewhere.
    pub async fn stopping(&self) {
        self.set(ServingStatus::NotServing).await;
    }

    /// Ends the streams of those who watch, after the last status they were told. Who asks later is told NOT_FOUND, so
    /// that a client which watches again at once does not hold up the end either.
    pub async fn ended(&self) {
        let mut reporter = self.reporter.clone();
        for service in self.names() {
            reporter.clear_service_status(service).await;
        }
    }

    async fn set(&self, status: ServingStatus) {
        for service in self.names() {
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// Every service, and the whole, whose name is empty.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.services.iter().copied().chain([""])
    }
}

/// Adds `grpc.health.v1.Health` for the services of these full names. NOT_SERVING until told otherwise.
pub async fn with_health(routes: Routes, services: Vec<&'static str>) -> (Routes, Health) {
    let (reporter, server) = health_reporter();
    let health = Health { reporter, services };
    health.stopping().await;
    (routes.add_service(server), health)
}

/// Why there is no reflection: the contracts' descriptors cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the descriptors of the contracts cannot be read: {0}")]
pub struct NoReflection(#[from] tonic_reflection::server::Error);

/// Adds reflection over all contracts and the details of refusals. It is let through only under
/// [`Policy::with_reflection`](crate::Policy::with_reflection).
///
/// # Errors
/// [`NoReflection`].
pub fn with_reflection(routes: Routes) -> Result<Routes, NoReflection> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    Ok(routes.add_service(reflection().build_v1()?).add_service(reflection().build_v1alpha()?))
}
