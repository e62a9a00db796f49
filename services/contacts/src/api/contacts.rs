//! `backchannel.contacts.v1.ContactService`.

use proto::contacts::v1 as pb;
use proto::contacts::v1::contact_service_server::ContactService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::contact as wire;

#[tonic::async_trait]
impl ContactService for Api {
    async fn create_contact(
        &self,
        request: Request<pb::CreateContactRequest>,
    ) -> Result<Response<pb::CreateContactResponse>, Status> {
        let call = rpc::call(&request)?;
        let create = wire::create(&call, request.into_inner())?;
        let contact = self
            .app
            .create_contact(&call.caller.org, runtime::origin(&call), create)
            .await
            .map_err(Fault::from)?;
        Ok(Response::new(pb::CreateContactResponse { contact: Some(wire::contact(contact)) }))
    }

    async fn get_contact(
        &self,
        request: Request<pb::GetContactRequest>,
    ) -> Result<Response<pb::GetContactResponse>, Status> {
        let call = rpc::call(&request)?;
        let (viewer, id) = wire::get(&call, request.get_ref())?;
        let contact = self.app.get_contact(&call.caller.org, &viewer, id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetContactResponse { contact: Some(wire::contact_for(&viewer, contact)) }))
    }

    async fn list_contacts(
        &self,
        request: Request<pb::ListContactsRequest>,
    ) -> Result<Response<pb::ListContactsResponse>, Status> {
        let call = rpc::call(&request)?;
        let list = wire::list(request.into_inner())?;
        let page = self.app.list_contacts(&call.caller.org, list).await.map_err(Fault::from)?;
        Ok(Response::new(wire::contact_page(page)))
    }

    async fn update_contact(
        &self,
        request: Request<pb::UpdateContactRequest>,
    ) -> Result<Response<pb::UpdateContactResponse>, Status> {
        let call = rpc::call(&request)?;
        let update = wire::update(&call, request.into_inner())?;
        let contact = self
            .app
            .update_contact(&call.caller.org, runtime::origin(&call), update)
            .await
            .map_err(Fault::from)?;
        Ok(Response::new(pb::UpdateContactResponse { contact: Some(wire::contact(contact)) }))
    }

    async fn tag_contact(
        &self,
        request: Request<pb::TagContactRequest>,
    ) -> Result<Response<pb::TagContactResponse>, Status> {
        let call = rpc::call(&request)?;
        let tag = wire::tag(&call, request.get_ref())?;
        let contact =
            self.app.tag_contact(&call.caller.org, runtime::origin(&call), tag).await.map_err(Fault::from)?;
        Ok(Response::new(pb::TagContactResponse { contact: Some(wire::contact(contact)) }))
    }

    async fn resolve_contact(
        &self,
        request: Request<pb::ResolveContactRequest>,
    ) -> Result<Response<pb::ResolveContactResponse>, Status> {
        let call = rpc::call(&request)?;
        let resolve = wire::resolve(&call, request.get_ref())?;
        let resolved = self
            .app
            .resolve_contact(&call.caller.org, runtime::origin(&call), resolve)
            .await
            .map_err(Fault::from)?;
        Ok(Response::new(wire::resolved(resolved)))
    }

    async fn list_tags(
        &self,
        request: Request<pb::ListTagsRequest>,
    ) -> Result<Response<pb::ListTagsResponse>, Status> {
        let call = rpc::call(&request)?;
        let list = wire::list_tags(request.into_inner())?;
        let page = self.app.list_tags(&call.caller.org, list).await.map_err(Fault::from)?;
        Ok(Response::new(wire::tag_page(page)))
    }
}
