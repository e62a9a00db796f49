//! `backchannel.contacts.v1.AttributeService`.

use proto::contacts::v1 as pb;
use proto::contacts::v1::attribute_service_server::AttributeService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::{attribute as wire, contact};

#[tonic::async_trait]
impl AttributeService for Api {
    async fn create_attribute_definition(
        &self,
        request: Request<pb::CreateAttributeDefinitionRequest>,
    ) -> Result<Response<pb::CreateAttributeDefinitionResponse>, Status> {
        let call = rpc::call(&request)?;
        let define = wire::define(&call, request.get_ref())?;
        let defined = self.app.define_attribute(&call.caller.org, runtime::origin(&call), define).await;
        let definition = Some(wire::definition(defined.map_err(Fault::from)?));
        Ok(Response::new(pb::CreateAttributeDefinitionResponse { definition }))
    }

    async fn get_attribute_definition(
        &self,
        request: Request<pb::GetAttributeDefinitionRequest>,
    ) -> Result<Response<pb::GetAttributeDefinitionResponse>, Status> {
        let call = rpc::call(&request)?;
        let key = wire::key(&request.get_ref().key)?;
        let found = self.app.get_definition(&call.caller.org, key).await.map_err(Fault::from)?;
        let definition = Some(wire::definition(found));
        Ok(Response::new(pb::GetAttributeDefinitionResponse { definition }))
    }

    async fn list_attribute_definitions(
        &self,
        request: Request<pb::ListAttributeDefinitionsRequest>,
    ) -> Result<Response<pb::ListAttributeDefinitionsResponse>, Status> {
        let call = rpc::call(&request)?;
        let list = wire::list(request.into_inner())?;
        let page = self.app.list_definitions(&call.caller.org, list).await.map_err(Fault::from)?;
        Ok(Response::new(wire::definition_page(page)))
    }

    async fn update_attribute_definition(
        &self,
        request: Request<pb::UpdateAttributeDefinitionRequest>,
    ) -> Result<Response<pb::UpdateAttributeDefinitionResponse>, Status> {
        let call = rpc::call(&request)?;
        let update = wire::update(&call, request.get_ref())?;
        let changed = self.app.update_definition(&call.caller.org, runtime::origin(&call), update).await;
        let definition = Some(wire::definition(changed.map_err(Fault::from)?));
        Ok(Response::new(pb::UpdateAttributeDefinitionResponse { definition }))
    }

    async fn delete_attribute_definition(
        &self,
        request: Request<pb::DeleteAttributeDefinitionRequest>,
    ) -> Result<Response<pb::DeleteAttributeDefinitionResponse>, Status> {
        let call = rpc::call(&request)?;
        let delete = wire::delete(request.get_ref())?;
        let deleted = self.app.delete_definition(&call.caller.org, runtime::origin(&call), delete).await;
        deleted.map_err(Fault::from)?;
        Ok(Response::new(pb::DeleteAttributeDefinitionResponse {}))
    }

    async fn set_contact_attributes(
        &self,
        request: Request<pb::SetContactAttributesRequest>,
    ) -> Result<Response<pb::SetContactAttributesResponse>, Status> {
        let call = rpc::call(&request)?;
        let set = wire::set(request.get_ref())?;
        let changed = self.app.set_attributes(&call.caller.org, runtime::origin(&call), set).await;
        let contact = Some(contact::contact(changed.map_err(Fault::from)?));
        Ok(Response::new(pb::SetContactAttributesResponse { contact }))
    }
}
