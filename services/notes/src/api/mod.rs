//! The contract's services: each RPC parses, calls, renders. A file for each service.

mod notes;

use std::sync::Arc;

use proto::notes::v1::note_service_server::NoteServiceServer;
use tonic::server::NamedService;
use tonic::service::Routes;

use crate::app::App;

/// All services of `backchannel.notes.v1`.
#[derive(Clone)]
pub struct Api(pub Arc<App>);

impl Api {
    /// Every service, and the names under which each tells its health.
    pub fn routes(self) -> (Routes, Vec<&'static str>) {
        let notes = NoteServiceServer::new(self).max_decoding_message_size(rpc::MESSAGE_LIMIT);
        (Routes::new(notes), vec![NoteServiceServer::<Self>::NAME])
    }
}
