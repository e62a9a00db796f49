//! The contract's services: each RPC parses, calls, renders. A file for each service.

mod activity;
mod admin;
mod attributes;
mod block;
mod contacts;
mod erasure;
mod lists;
mod merges;
mod panel;
mod search;
mod transfer;

use std::sync::Arc;

use proto::contacts::v1::activity_event_service_server::ActivityEventServiceServer;
use proto::contacts::v1::activity_service_server::ActivityServiceServer;
use proto::contacts::v1::admin_service_server::AdminServiceServer;
use proto::contacts::v1::attribute_service_server::AttributeServiceServer;
use proto::contacts::v1::block_service_server::BlockServiceServer;
use proto::contacts::v1::contact_export_service_server::ContactExportServiceServer;
use proto::contacts::v1::contact_import_service_server::ContactImportServiceServer;
use proto::contacts::v1::contact_service_server::ContactServiceServer;
use proto::contacts::v1::erasure_service_server::ErasureServiceServer;
use proto::contacts::v1::list_service_server::ListServiceServer;
use proto::contacts::v1::merge_service_server::MergeServiceServer;
use proto::contacts::v1::panel_service_server::PanelServiceServer;
use proto::contacts::v1::search_service_server::SearchServiceServer;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::service::Routes;

use crate::app::{App, Panels};

/// All services of `backchannel.contacts.v1`.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    app: Arc<App>,
    panels: Panels,
    streams_end: CancellationToken,
}

impl Api {
    /// `streams_end`: when the process ends its streams.
    pub(crate) fn new(app: Arc<App>, panels: Panels, streams_end: CancellationToken) -> Self {
        Self { app, panels, streams_end }
    }

    /// Every service, and the names under which each tells its health.
    pub(crate) fn routes(self) -> (Routes, Vec<&'static str>) {
        let activity = ActivityServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let activity_events =
            ActivityEventServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let admin = AdminServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let attributes =
            AttributeServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let block = BlockServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let lists = ListServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let merges = MergeServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let panel = PanelServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let search = SearchServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let erasure = ErasureServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let exports =
            ContactExportServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let imports =
            ContactImportServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let contacts = ContactServiceServer::new(self).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let names = vec![
            ContactServiceServer::<Self>::NAME,
            ActivityServiceServer::<Self>::NAME,
            ActivityEventServiceServer::<Self>::NAME,
            AdminServiceServer::<Self>::NAME,
            AttributeServiceServer::<Self>::NAME,
            BlockServiceServer::<Self>::NAME,
            ContactExportServiceServer::<Self>::NAME,
            ContactImportServiceServer::<Self>::NAME,
            ErasureServiceServer::<Self>::NAME,
            ListServiceServer::<Self>::NAME,
            MergeServiceServer::<Self>::NAME,
            PanelServiceServer::<Self>::NAME,
            SearchServiceServer::<Self>::NAME,
        ];
        let routes = Routes::new(contacts).add_service(erasure).add_service(admin).add_service(attributes);
        let routes = routes.add_service(activity).add_service(activity_events).add_service(block);
        let routes = routes.add_service(exports).add_service(imports);
        (routes.add_service(lists).add_service(merges).add_service(panel).add_service(search), names)
    }
}
