//! Calling the suite as somebody.

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// What a generated client is made from: `NoteServiceClient::new(suite.client("acme", "ana", Role::Agent))`.
pub type Client = InterceptedService<Channel, Bearer>;

/// Adds a token to every call.
#[derive(Debug, Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Bearer {
    /// Adds `token`.
    ///
    /// # Panics
    /// If it cannot be a header's value.
    pub fn new(token: &str) -> Self {
        Bearer(format!("Bearer {token}").parse().expect("a token is visible ASCII"))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}
