//! `backchannel.notes.v1.AcknowledgementService`.

use proto::notes::v1 as pb;
use proto::notes::v1::acknowledgement_service_server::AcknowledgementService;
use rpc::Fault;
use rpc::convert::{expected_version, id_of};
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::{handoff, note};

#[tonic::async_trait]
impl AcknowledgementService for Api {
    async fn acknowledge_note(
        &self,
        request: Request<pb::AcknowledgeNoteRequest>,
    ) -> Result<Response<pb::AcknowledgeNoteResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (note_id, expected) = (id_of("note_id", &it.note_id)?, expected_version(&it.etag));
        let by = note::author(&call.caller);
        let note = self.0.acknowledge_note(&call, note_id, by, expected).await.map_err(Fault::from)?;
        Ok(Response::new(pb::AcknowledgeNoteResponse { note: Some(note::note(note)) }))
    }

    async fn list_unacknowledged_notes(
        &self,
        request: Request<pb::ListUnacknowledgedNotesRequest>,
    ) -> Result<Response<pb::ListUnacknowledgedNotesResponse>, Status> {
        let call = rpc::call(&request)?;
        let (size, token) = handoff::page(request.into_inner())?;
        let page = self.0.list_unacknowledged(&call, size, &token).await.map_err(Fault::from)?;
        Ok(Response::new(handoff::listed(page)))
    }
}
