//! `backchannel.notes.v1.ContactNoteService`.

use proto::notes::v1 as pb;
use proto::notes::v1::contact_note_service_server::ContactNoteService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::note as wire;

#[tonic::async_trait]
impl ContactNoteService for Api {
    async fn create_contact_note(
        &self,
        request: Request<pb::CreateContactNoteRequest>,
    ) -> Result<Response<pb::CreateContactNoteResponse>, Status> {
        let call = rpc::call(&request)?;
        let (writing, retry) = wire::new_contact_note(&call, request.into_inner())?;
        let note = self.0.create_note(&call, retry, writing).await.map_err(Fault::from)?;
        Ok(Response::new(pb::CreateContactNoteResponse { note: Some(wire::note(note)) }))
    }

    async fn list_contact_notes(
        &self,
        request: Request<pb::ListContactNotesRequest>,
    ) -> Result<Response<pb::ListContactNotesResponse>, Status> {
        let call = rpc::call(&request)?;
        let page = wire::contact_page(request.into_inner())?;
        let page = self.0.list_notes(&call, page).await.map_err(Fault::from)?;
        let (notes, next_page_token) = wire::notes(page);
        Ok(Response::new(pb::ListContactNotesResponse { notes, next_page_token }))
    }
}
