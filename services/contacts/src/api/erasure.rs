//! `backchannel.contacts.v1.ErasureService`.

use proto::contacts::v1 as pb;
use proto::contacts::v1::erasure_service_server::ErasureService;
use rpc::Fault;
use rpc::convert::id_of;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::erasure as wire;

#[tonic::async_trait]
impl ErasureService for Api {
    async fn erase_contact(
        &self,
        request: Request<pb::EraseContactRequest>,
    ) -> Result<Response<pb::EraseContactResponse>, Status> {
        let call = rpc::call(&request)?;
        let erase = wire::erase(&call, request.get_ref())?;
        let begun = self.app.erase_contact(&call.caller.org, runtime::origin(&call), erase).await;
        let erasure = Some(wire::erasure(begun.map_err(Fault::from)?));
        Ok(Response::new(pb::EraseContactResponse { erasure }))
    }

    async fn get_erasure(
        &self,
        request: Request<pb::GetErasureRequest>,
    ) -> Result<Response<pb::GetErasureResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("erasure_id", &request.get_ref().erasure_id)?;
        let erasure = self.app.get_erasure(&call.caller.org, id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetErasureResponse { erasure: Some(wire::erasure(erasure)) }))
    }

    async fn list_erasures(
        &self,
        request: Request<pb::ListErasuresRequest>,
    ) -> Result<Response<pb::ListErasuresResponse>, Status> {
        let call = rpc::call(&request)?;
        let list = wire::list(request.into_inner())?;
        let page = self.app.list_erasures(&call.caller.org, list).await.map_err(Fault::from)?;
        Ok(Response::new(wire::page(page)))
    }
}
