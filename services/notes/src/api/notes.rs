//! `backchannel.notes.v1.NoteService`.

use kernel::NoteId;
use proto::notes::v1 as pb;
use proto::notes::v1::note_service_server::NoteService;
use rpc::Fault;
use rpc::convert::id_of;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::note as wire;

#[tonic::async_trait]
impl NoteService for Api {
    async fn create_note(
        &self,
        request: Request<pb::CreateNoteRequest>,
    ) -> Result<Response<pb::CreateNoteResponse>, Status> {
        let call = rpc::call(&request)?;
        let (new, retry) = wire::new_note(&call, request.into_inner())?;
        let note = self.0.create_note(&call, retry, new).await.map_err(Fault::from)?;
        Ok(Response::new(pb::CreateNoteResponse { note: Some(wire::note(note)) }))
    }

    async fn get_note(
        &self,
        request: Request<pb::GetNoteRequest>,
    ) -> Result<Response<pb::GetNoteResponse>, Status> {
        let call = rpc::call(&request)?;
        let note_id: NoteId = id_of("note_id", &request.get_ref().note_id)?;
        let note = self.0.get_note(&call, note_id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetNoteResponse { note: Some(wire::note(note)) }))
    }

    async fn list_notes(
        &self,
        request: Request<pb::ListNotesRequest>,
    ) -> Result<Response<pb::ListNotesResponse>, Status> {
        let call = rpc::call(&request)?;
        let page = wire::page(request.into_inner())?;
        let page = self.0.list_notes(&call, page).await.map_err(Fault::from)?;
        Ok(Response::new(wire::listed(page)))
    }

    async fn update_note(
        &self,
        request: Request<pb::UpdateNoteRequest>,
    ) -> Result<Response<pb::UpdateNoteResponse>, Status> {
        let call = rpc::call(&request)?;
        let (edit, retry) = wire::edit(&call, request.into_inner())?;
        let note = self.0.update_note(&call, retry, edit).await.map_err(Fault::from)?;
        Ok(Response::new(pb::UpdateNoteResponse { note: Some(wire::note(note)) }))
    }
}
