//! `backchannel.notes.v1.NoteTemplateService`.

use kernel::PageSize;
use proto::notes::v1 as pb;
use proto::notes::v1::note_template_service_server::NoteTemplateService;
use rpc::Fault;
use rpc::convert::{expected_version, id_of};
use tonic::{Request, Response, Status};

use super::Api;
use crate::domain::TemplateId;
use crate::wire::template as wire;

#[tonic::async_trait]
impl NoteTemplateService for Api {
    async fn create_note_template(
        &self,
        request: Request<pb::CreateNoteTemplateRequest>,
    ) -> Result<Response<pb::CreateNoteTemplateResponse>, Status> {
        let call = rpc::call(&request)?;
        let (name, text, retry) = wire::new_template(&call, request.into_inner())?;
        let template = self.0.create_template(&call, retry, name, text).await.map_err(Fault::from)?;
        let note_template = Some(wire::template(template));
        Ok(Response::new(pb::CreateNoteTemplateResponse { note_template }))
    }

    async fn get_note_template(
        &self,
        request: Request<pb::GetNoteTemplateRequest>,
    ) -> Result<Response<pb::GetNoteTemplateResponse>, Status> {
        let call = rpc::call(&request)?;
        let id: TemplateId = id_of("note_template_id", &request.get_ref().note_template_id)?;
        let template = self.0.get_template(&call, id).await.map_err(Fault::from)?;
        let note_template = Some(wire::template(template));
        Ok(Response::new(pb::GetNoteTemplateResponse { note_template }))
    }

    async fn list_note_templates(
        &self,
        request: Request<pb::ListNoteTemplatesRequest>,
    ) -> Result<Response<pb::ListNoteTemplatesResponse>, Status> {
        let call = rpc::call(&request)?;
        let pb::ListNoteTemplatesRequest { page_size, page_token } = request.into_inner();
        let size = PageSize::of(page_size).map_err(Fault::from)?;
        let (templates, next_page_token) =
            self.0.list_templates(&call, size, &page_token).await.map_err(Fault::from)?;
        let note_templates = templates.into_iter().map(wire::template).collect();
        Ok(Response::new(pb::ListNoteTemplatesResponse { note_templates, next_page_token }))
    }

    async fn update_note_template(
        &self,
        request: Request<pb::UpdateNoteTemplateRequest>,
    ) -> Result<Response<pb::UpdateNoteTemplateResponse>, Status> {
        let call = rpc::call(&request)?;
        let id: TemplateId = id_of("note_template_id", &request.get_ref().note_template_id)?;
        let expected = expected_version(&request.get_ref().etag);
        let (change, retry) = wire::change(&call, request.into_inner())?;
        let template =
            self.0.update_template(&call, retry, id, change, expected).await.map_err(Fault::from)?;
        let note_template = Some(wire::template(template));
        Ok(Response::new(pb::UpdateNoteTemplateResponse { note_template }))
    }

    async fn delete_note_template(
        &self,
        request: Request<pb::DeleteNoteTemplateRequest>,
    ) -> Result<Response<pb::DeleteNoteTemplateResponse>, Status> {
        let call = rpc::call(&request)?;
        let request = request.into_inner();
        let retry = runtime::retry(&call, &request.request_id, &request)?;
        let id: TemplateId = id_of("note_template_id", &request.note_template_id)?;
        let expected = expected_version(&request.etag);
        self.0.delete_template(&call, retry, id, expected).await.map_err(Fault::from)?;
        Ok(Response::new(pb::DeleteNoteTemplateResponse {}))
    }
}
