//! `backchannel.notes.v1.NoteSearchService`.

use proto::notes::v1 as pb;
use proto::notes::v1::note_search_service_server::NoteSearchService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::search as wire;

#[tonic::async_trait]
impl NoteSearchService for Api {
    async fn search_notes(
        &self,
        request: Request<pb::SearchNotesRequest>,
    ) -> Result<Response<pb::SearchNotesResponse>, Status> {
        let call = rpc::call(&request)?;
        let search = wire::search(request.into_inner())?;
        let page = self.0.search_notes(&call, search).await.map_err(Fault::from)?;
        Ok(Response::new(wire::found(page)))
    }
}
