//! `backchannel.notes.v1.IngestService`.

use proto::notes::v1 as pb;
use proto::notes::v1::ingest_service_server::IngestService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::ingest as wire;

#[tonic::async_trait]
impl IngestService for Api {
    async fn write_notes(
        &self,
        request: Request<pb::WriteNotesRequest>,
    ) -> Result<Response<pb::WriteNotesResponse>, Status> {
        let call = rpc::call(&request)?;
        let notes = request.into_inner().notes;
        let ids = notes.iter().map(|note| note.event_id.clone()).collect();
        let notes = wire::notes(notes)?;
        let taken = self.0.write_notes(&call, notes).await.map_err(Fault::from)?;
        Ok(Response::new(pb::WriteNotesResponse { outcomes: wire::outcomes(ids, taken) }))
    }
}
