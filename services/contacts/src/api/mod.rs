//! The contract's services: each RPC parses, calls, renders. A file for each service.

mod contacts;

use std::sync::Arc;

use proto::contacts::v1::contact_service_server::ContactServiceServer;
use tonic::server::NamedService;
use tonic::service::Routes;

use crate::app::App;

/// All services of `backchannel.contacts.v1`.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    app: Arc<App>,
}

impl Api {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Every service, and the names under which each tells its health.
    pub(crate) fn routes(self) -> (Routes, Vec<&'static str>) {
        let contacts = ContactServiceServer::new(self).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        (Routes::new(contacts), vec![ContactServiceServer::<Self>::NAME])
    }
}
