//! The contract's services: each RPC parses, calls, renders. A file for each service.

mod admin;
mod attributes;
mod contacts;
mod lists;
mod search;

use std::sync::Arc;

use proto::contacts::v1::admin_service_server::AdminServiceServer;
use proto::contacts::v1::attribute_service_server::AttributeServiceServer;
use proto::contacts::v1::contact_service_server::ContactServiceServer;
use proto::contacts::v1::list_service_server::ListServiceServer;
use proto::contacts::v1::search_service_server::SearchServiceServer;
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
        let admin = AdminServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let attributes =
            AttributeServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let lists = ListServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let search = SearchServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let contacts = ContactServiceServer::new(self).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let names = vec![
            ContactServiceServer::<Self>::NAME,
            AdminServiceServer::<Self>::NAME,
            AttributeServiceServer::<Self>::NAME,
            ListServiceServer::<Self>::NAME,
            SearchServiceServer::<Self>::NAME,
        ];
        let routes = Routes::new(contacts).add_service(admin).add_service(attributes);
        (routes.add_service(lists).add_service(search), names)
    }
}
