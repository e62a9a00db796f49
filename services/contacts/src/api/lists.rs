//! `backchannel.contacts.v1.ListService`.

use kernel::PageSize;
use proto::contacts::v1 as pb;
use proto::contacts::v1::list_service_server::ListService;
use rpc::Fault;
use rpc::convert::{expected_version, id_of};
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::{contact, list as wire};

#[tonic::async_trait]
impl ListService for Api {
    async fn create_list(
        &self,
        request: Request<pb::CreateListRequest>,
    ) -> Result<Response<pb::CreateListResponse>, Status> {
        let call = rpc::call(&request)?;
        let create = wire::create(&call, request.get_ref())?;
        let made = self.app.create_list(&call.caller.org, runtime::origin(&call), create).await;
        let list = wire::list(made.map_err(Fault::from)?);
        Ok(Response::new(pb::CreateListResponse { list: Some(list) }))
    }

    async fn get_list(
        &self,
        request: Request<pb::GetListRequest>,
    ) -> Result<Response<pb::GetListResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("list_id", &request.get_ref().list_id)?;
        let list = self.app.get_list(&call.caller.org, id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetListResponse { list: Some(wire::list(list)) }))
    }

    async fn list_lists(
        &self,
        request: Request<pb::ListListsRequest>,
    ) -> Result<Response<pb::ListListsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let size = PageSize::of(it.page_size).map_err(Fault::from)?;
        let page = self.app.list_lists(&call.caller.org, size, &it.page_token).await.map_err(Fault::from)?;
        let (lists, next_page_token) = wire::list_page(page);
        Ok(Response::new(pb::ListListsResponse { lists, next_page_token }))
    }

    async fn update_list(
        &self,
        request: Request<pb::UpdateListRequest>,
    ) -> Result<Response<pb::UpdateListResponse>, Status> {
        let call = rpc::call(&request)?;
        let update = wire::update(&call, request.get_ref())?;
        let changed = self.app.update_list(&call.caller.org, runtime::origin(&call), update).await;
        let list = wire::list(changed.map_err(Fault::from)?);
        Ok(Response::new(pb::UpdateListResponse { list: Some(list) }))
    }

    async fn delete_list(
        &self,
        request: Request<pb::DeleteListRequest>,
    ) -> Result<Response<pb::DeleteListResponse>, Status> {
        let (call, it) = (rpc::call(&request)?, request.get_ref());
        let (id, version) = (id_of("list_id", &it.list_id)?, expected_version(&it.etag));
        let origin = runtime::origin(&call);
        self.app.delete_list(&call.caller.org, origin, id, version).await.map_err(Fault::from)?;
        Ok(Response::new(pb::DeleteListResponse {}))
    }

    async fn add_list_members(
        &self,
        request: Request<pb::AddListMembersRequest>,
    ) -> Result<Response<pb::AddListMembersResponse>, Status> {
        let (call, it) = (rpc::call(&request)?, request.get_ref());
        let (id, contacts) = wire::members(&it.list_id, &it.contact_ids)?;
        let added = self.app.add_list_members(&call.caller.org, runtime::origin(&call), id, contacts).await;
        let list = wire::list(added.map_err(Fault::from)?);
        Ok(Response::new(pb::AddListMembersResponse { list: Some(list) }))
    }

    async fn remove_list_members(
        &self,
        request: Request<pb::RemoveListMembersRequest>,
    ) -> Result<Response<pb::RemoveListMembersResponse>, Status> {
        let (call, it) = (rpc::call(&request)?, request.get_ref());
        let (id, contacts) = wire::members(&it.list_id, &it.contact_ids)?;
        let origin = runtime::origin(&call);
        let removed = self.app.remove_list_members(&call.caller.org, origin, id, contacts).await;
        let list = wire::list(removed.map_err(Fault::from)?);
        Ok(Response::new(pb::RemoveListMembersResponse { list: Some(list) }))
    }

    async fn list_members(
        &self,
        request: Request<pb::ListMembersRequest>,
    ) -> Result<Response<pb::ListMembersResponse>, Status> {
        let call = rpc::call(&request)?;
        let list = wire::list_members(request.into_inner())?;
        let page = self.app.list_members(&call.caller.org, list).await.map_err(Fault::from)?;
        let pb::ListContactsResponse { contacts, next_page_token } = contact::contact_page(page);
        Ok(Response::new(pb::ListMembersResponse { contacts, next_page_token }))
    }

    async fn list_contact_lists(
        &self,
        request: Request<pb::ListContactListsRequest>,
    ) -> Result<Response<pb::ListContactListsResponse>, Status> {
        let (call, it) = (rpc::call(&request)?, request.into_inner());
        let size = PageSize::of(it.page_size).map_err(Fault::from)?;
        let id = id_of("contact_id", &it.contact_id)?;
        let page = self.app.list_contact_lists(&call.caller.org, id, size, &it.page_token).await;
        let (lists, next_page_token) = wire::list_page(page.map_err(Fault::from)?);
        Ok(Response::new(pb::ListContactListsResponse { lists, next_page_token }))
    }
}
