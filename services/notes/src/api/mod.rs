//! The contract's services: each RPC parses, calls, renders. A file for each service.

mod acknowledgements;
mod admin;
mod contact_events;
mod contact_notes;
mod erasure;
mod export;
mod ingest;
mod internal_messages;
mod notes;
mod search;
mod templates;
mod timeline;
mod transfer;
mod watch;

use std::sync::Arc;

use proto::notes::v1::acknowledgement_service_server::AcknowledgementServiceServer;
use proto::notes::v1::admin_service_server::AdminServiceServer;
use proto::notes::v1::contact_event_service_server::ContactEventServiceServer;
use proto::notes::v1::contact_note_service_server::ContactNoteServiceServer;
use proto::notes::v1::conversation_export_service_server::ConversationExportServiceServer;
use proto::notes::v1::erasure_service_server::ErasureServiceServer;
use proto::notes::v1::ingest_service_server::IngestServiceServer;
use proto::notes::v1::internal_message_service_server::InternalMessageServiceServer;
use proto::notes::v1::note_search_service_server::NoteSearchServiceServer;
use proto::notes::v1::note_service_server::NoteServiceServer;
use proto::notes::v1::note_template_service_server::NoteTemplateServiceServer;
use proto::notes::v1::note_transfer_service_server::NoteTransferServiceServer;
use proto::notes::v1::note_watch_service_server::NoteWatchServiceServer;
use proto::notes::v1::timeline_service_server::TimelineServiceServer;
use tonic::server::NamedService;
use tonic::service::Routes;

use crate::app::App;

/// All services of `backchannel.notes.v1`.
#[derive(Clone)]
pub struct Api(pub Arc<App>);

impl Api {
    /// Every service, and the names under which each tells its health.
    pub fn routes(self) -> (Routes, Vec<&'static str>) {
        let admin = AdminServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let internal =
            InternalMessageServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let contact_notes =
            ContactNoteServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let contact_events =
            ContactEventServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let templates =
            NoteTemplateServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let search = NoteSearchServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let watch = NoteWatchServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let erasure = ErasureServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let transfer =
            NoteTransferServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let export =
            ConversationExportServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let timeline = TimelineServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let acknowledgements =
            AcknowledgementServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let ingest = IngestServiceServer::new(self.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let notes = NoteServiceServer::new(self).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        let names = vec![
            NoteServiceServer::<Self>::NAME,
            ErasureServiceServer::<Self>::NAME,
            IngestServiceServer::<Self>::NAME,
            AdminServiceServer::<Self>::NAME,
            InternalMessageServiceServer::<Self>::NAME,
            ContactEventServiceServer::<Self>::NAME,
            ContactNoteServiceServer::<Self>::NAME,
            NoteTemplateServiceServer::<Self>::NAME,
            NoteSearchServiceServer::<Self>::NAME,
            NoteWatchServiceServer::<Self>::NAME,
            ConversationExportServiceServer::<Self>::NAME,
            TimelineServiceServer::<Self>::NAME,
            NoteTransferServiceServer::<Self>::NAME,
            AcknowledgementServiceServer::<Self>::NAME,
        ];
        let routes = Routes::new(notes).add_service(admin).add_service(internal);
        let routes = routes.add_service(timeline).add_service(acknowledgements).add_service(ingest);
        let routes = routes.add_service(search).add_service(watch).add_service(erasure).add_service(export);
        (
            routes
                .add_service(contact_notes)
                .add_service(contact_events)
                .add_service(templates)
                .add_service(transfer),
            names,
        )
    }
}
