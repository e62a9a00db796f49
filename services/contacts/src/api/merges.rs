//! `backchannel.contacts.v1.MergeService`.

use proto::contacts::v1 as pb;
use proto::contacts::v1::merge_service_server::MergeService;
use rpc::Fault;
use rpc::convert::id_of;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::{duplicate, merge as wire};

#[tonic::async_trait]
impl MergeService for Api {
    async fn preview_merge(
        &self,
        request: Request<pb::PreviewMergeRequest>,
    ) -> Result<Response<pb::PreviewMergeResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.get_ref();
        let pairing = wire::pairing(&it.from_contact_id, &it.into_contact_id, &it.take_fields)?;
        let preview = self.app.preview_merge(&call.caller.org, pairing).await.map_err(Fault::from)?;
        Ok(Response::new(wire::preview(preview)))
    }

    async fn merge_contacts(
        &self,
        request: Request<pb::MergeContactsRequest>,
    ) -> Result<Response<pb::MergeContactsResponse>, Status> {
        let call = rpc::call(&request)?;
        let merge = wire::merge(&call, request.get_ref())?;
        let merged = self.app.merge_contacts(&call.caller.org, runtime::origin(&call), merge).await;
        Ok(Response::new(wire::merged(merged.map_err(Fault::from)?)))
    }

    async fn unmerge_contacts(
        &self,
        request: Request<pb::UnmergeContactsRequest>,
    ) -> Result<Response<pb::UnmergeContactsResponse>, Status> {
        let call = rpc::call(&request)?;
        let unmerge = wire::unmerge(&call, request.get_ref())?;
        let parted = self.app.unmerge_contacts(&call.caller.org, runtime::origin(&call), unmerge).await;
        Ok(Response::new(wire::parted(parted.map_err(Fault::from)?)))
    }

    async fn get_merge(
        &self,
        request: Request<pb::GetMergeRequest>,
    ) -> Result<Response<pb::GetMergeResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("merge_id", &request.get_ref().merge_id)?;
        let found = self.app.get_merge(&call.caller.org, id).await.map_err(Fault::from)?;
        Ok(Response::new(wire::found(found)))
    }

    async fn list_merges(
        &self,
        request: Request<pb::ListMergesRequest>,
    ) -> Result<Response<pb::ListMergesResponse>, Status> {
        let call = rpc::call(&request)?;
        let list = wire::list(request.into_inner())?;
        let page = self.app.list_merges(&call.caller.org, list).await.map_err(Fault::from)?;
        Ok(Response::new(wire::page(page)))
    }

    async fn list_duplicates(
        &self,
        request: Request<pb::ListDuplicatesRequest>,
    ) -> Result<Response<pb::ListDuplicatesResponse>, Status> {
        let call = rpc::call(&request)?;
        let list = duplicate::list(request.into_inner())?;
        let page = self.app.list_duplicates(&call.caller.org, list).await.map_err(Fault::from)?;
        Ok(Response::new(duplicate::page(page)))
    }

    async fn dismiss_duplicate(
        &self,
        request: Request<pb::DismissDuplicateRequest>,
    ) -> Result<Response<pb::DismissDuplicateResponse>, Status> {
        let (call, it) = (rpc::call(&request)?, request.get_ref());
        let (one, other) = duplicate::pair(&it.contact_id, &it.other_contact_id)?;
        let origin = runtime::origin(&call);
        self.app.dismiss_duplicate(&call.caller.org, origin, one, other).await.map_err(Fault::from)?;
        Ok(Response::new(pb::DismissDuplicateResponse {}))
    }

    async fn restore_duplicate(
        &self,
        request: Request<pb::RestoreDuplicateRequest>,
    ) -> Result<Response<pb::RestoreDuplicateResponse>, Status> {
        let (call, it) = (rpc::call(&request)?, request.get_ref());
        let (one, other) = duplicate::pair(&it.contact_id, &it.other_contact_id)?;
        let origin = runtime::origin(&call);
        self.app.restore_duplicate(&call.caller.org, origin, one, other).await.map_err(Fault::from)?;
        Ok(Response::new(pb::RestoreDuplicateResponse {}))
    }
}
