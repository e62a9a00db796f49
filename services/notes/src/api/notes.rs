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
        let (notes, next_page_token) = wire::notes(page);
        Ok(Response::new(pb::ListNotesResponse { notes, next_page_token }))
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

    async fn delete_note(
        &self,
        request: Request<pb::DeleteNoteRequest>,
    ) -> Result<Response<pb::DeleteNoteResponse>, Status> {
        let call = rpc::call(&request)?;
        let (deletion, retry) = wire::deletion(&call, request.into_inner())?;
        self.0.delete_note(&call, retry, deletion).await.map_err(Fault::from)?;
        Ok(Response::new(pb::DeleteNoteResponse {}))
    }

    async fn pin_note(
        &self,
        request: Request<pb::PinNoteRequest>,
    ) -> Result<Response<pb::PinNoteResponse>, Status> {
        let call = rpc::call(&request)?;
        let note_id: NoteId = id_of("note_id", &request.get_ref().note_id)?;
        let by = wire::author(&call.caller);
        let note = self.0.pin_note(&call, note_id, by).await.map_err(Fault::from)?;
        Ok(Response::new(pb::PinNoteResponse { note: Some(wire::note(note)) }))
    }

    async fn unpin_note(
        &self,
        request: Request<pb::UnpinNoteRequest>,
    ) -> Result<Response<pb::UnpinNoteResponse>, Status> {
        let call = rpc::call(&request)?;
        let note_id: NoteId = id_of("note_id", &request.get_ref().note_id)?;
        let note = self.0.unpin_note(&call, note_id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::UnpinNoteResponse { note: Some(wire::note(note)) }))
    }

    async fn list_thread(
        &self,
        request: Request<pb::ListThreadRequest>,
    ) -> Result<Response<pb::ListThreadResponse>, Status> {
        let call = rpc::call(&request)?;
        let pb::ListThreadRequest { note_id, page_size, page_token } = request.into_inner();
        let (note_id, size) = wire::page_of_note(&note_id, page_size)?;
        let page = self.0.list_thread(&call, note_id, size, page_token).await.map_err(Fault::from)?;
        let (notes, next_page_token) = wire::notes(page);
        Ok(Response::new(pb::ListThreadResponse { notes, next_page_token }))
    }

    async fn list_note_revisions(
        &self,
        request: Request<pb::ListNoteRevisionsRequest>,
    ) -> Result<Response<pb::ListNoteRevisionsResponse>, Status> {
        let call = rpc::call(&request)?;
        let pb::ListNoteRevisionsRequest { note_id, page_size, page_token } = request.into_inner();
        let (note_id, size) = wire::page_of_note(&note_id, page_size)?;
        let (texts, next_page_token) =
            self.0.list_revisions(&call, note_id, size, &page_token).await.map_err(Fault::from)?;
        let revisions = texts.into_iter().map(wire::revision).collect();
        Ok(Response::new(pb::ListNoteRevisionsResponse { revisions, next_page_token }))
    }
}
