//! `backchannel.notes.v1.NoteTransferService`.

use proto::notes::v1 as pb;
use proto::notes::v1::note_transfer_service_server::NoteTransferService;
use rpc::stream::Live;
use tonic::{Request, Response, Status, Streaming};

use super::Api;
use crate::wire::transfer as wire;

#[tonic::async_trait]
impl NoteTransferService for Api {
    type ExportNotesStream = Live<pb::ExportNotesResponse>;
    type ImportNotesStream = Live<pb::ImportNotesResponse>;

    async fn export_notes(
        &self,
        request: Request<pb::ExportNotesRequest>,
    ) -> Result<Response<Live<pb::ExportNotesResponse>>, Status> {
        let call = rpc::call(&request)?;
        let token = request.into_inner().resume_token;
        Ok(Response::new(self.0.export_notes(&call, &token).await?))
    }

    async fn import_notes(
        &self,
        request: Request<Streaming<pb::ImportNotesRequest>>,
    ) -> Result<Response<Live<pb::ImportNotesResponse>>, Status> {
        let call = rpc::call(&request)?;
        let (token, pieces) = wire::import(request.into_inner()).await?;
        Ok(Response::new(self.0.import_notes(&call, &token, pieces).await?))
    }
}
