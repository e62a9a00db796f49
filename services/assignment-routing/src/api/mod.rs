//! The RPCs: each handler parses, calls a use case, renders. A file per proto service.

mod admin;
mod agents;
mod assignments;
mod bulk;
mod business_hours;
mod contact_events;
mod conversations;
mod directory;
mod erasure;
mod events;
mod handoffs;
mod history;
mod inbox_watch;
mod offers;
mod presence;
mod reports;
mod settings;
mod simulation;
mod sla;
mod teams;
mod workflows;

use std::sync::Arc;

use proto::routing::v1::admin_service_server::AdminServiceServer;
use proto::routing::v1::agent_service_server::AgentServiceServer;
use proto::routing::v1::assignment_service_server::AssignmentServiceServer;
use proto::routing::v1::bulk_service_server::BulkServiceServer;
use proto::routing::v1::business_hours_service_server::BusinessHoursServiceServer;
use proto::routing::v1::contact_event_service_server::ContactEventServiceServer;
use proto::routing::v1::conversation_service_server::ConversationServiceServer;
use proto::routing::v1::directory_service_server::DirectoryServiceServer;
use proto::routing::v1::erasure_service_server::ErasureServiceServer;
use proto::routing::v1::event_service_server::EventServiceServer;
use proto::routing::v1::handoff_service_server::HandoffServiceServer;
use proto::routing::v1::history_service_server::HistoryServiceServer;
use proto::routing::v1::inbox_watch_service_server::InboxWatchServiceServer;
use proto::routing::v1::offer_service_server::OfferServiceServer;
use proto::routing::v1::presence_service_server::PresenceServiceServer;
use proto::routing::v1::report_service_server::ReportServiceServer;
use proto::routing::v1::settings_service_server::SettingsServiceServer;
use proto::routing::v1::simulation_service_server::SimulationServiceServer;
use proto::routing::v1::sla_service_server::SlaServiceServer;
use proto::routing::v1::team_service_server::TeamServiceServer;
use proto::routing::v1::workflow_service_server::WorkflowServiceServer;
use rpc::{Fault, MESSAGE_LIMIT};
use tonic::service::Routes;

use crate::app::App;

/// Serves the use cases.
#[derive(Clone)]
pub struct Api(Arc<App>);

impl Api {
    /// The RPCs of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self(app)
    }

    /// All proto services of routing.
    #[must_use]
    pub fn routes(&self) -> Routes {
        let api = self.clone();
        Routes::new(AgentServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(AdminServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(AssignmentServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(BulkServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(
                BusinessHoursServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT),
            )
            .add_service(ContactEventServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(ConversationServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(DirectoryServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(ErasureServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(EventServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(HandoffServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(HistoryServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(InboxWatchServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(OfferServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(PresenceServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(ReportServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(SettingsServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(SimulationServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(SlaServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(TeamServiceServer::new(api.clone()).max_decoding_message_size(MESSAGE_LIMIT))
            .add_service(WorkflowServiceServer::new(api).max_decoding_message_size(MESSAGE_LIMIT))
    }
}

/// The profile of a request. The codec refuses requests without one.
fn given<T>(field: &'static str, value: Option<T>) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::invalid(field, "is needed"))
}
