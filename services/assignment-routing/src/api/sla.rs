//! `SlaService`.

use kernel::PageSize;
use proto::routing::v1 as pb;
use proto::routing::v1::sla_service_server::SlaService;
use rpc::Fault;
use rpc::convert::{expected_version, id_of, ids_of};
use tonic::{Request, Response, Status};

use super::{Api, given};
use crate::wire;

#[tonic::async_trait]
impl SlaService for Api {
    async fn create_sla_policy(
        &self,
        request: Request<pb::CreateSlaPolicyRequest>,
    ) -> Result<Response<pb::CreateSlaPolicyResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let spec = wire::sla::new_policy(given("spec", it.spec)?)?;
        let made = self.0.create_sla_policy(&call.caller, runtime::origin(&call), retry, spec).await;
        let sla_policy = Some(wire::sla::sla_policy(made.map_err(Fault::from)?));
        Ok(Response::new(pb::CreateSlaPolicyResponse { sla_policy }))
    }

    async fn get_sla_policy(
        &self,
        request: Request<pb::GetSlaPolicyRequest>,
    ) -> Result<Response<pb::GetSlaPolicyResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("sla_policy_id", &request.get_ref().sla_policy_id)?;
        let policy = self.0.get_sla_policy(&call.caller, id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetSlaPolicyResponse { sla_policy: Some(wire::sla::sla_policy(policy)) }))
    }

    async fn list_sla_policies(
        &self,
        request: Request<pb::ListSlaPoliciesRequest>,
    ) -> Result<Response<pb::ListSlaPoliciesResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let size = PageSize::of(it.page_size).map_err(Fault::from)?;
        let listed = self.0.list_sla_policies(&call.caller, size, &it.page_token).await;
        let (policies, next_page_token) = listed.map_err(Fault::from)?;
        let sla_policies = policies.into_iter().map(wire::sla::sla_policy).collect();
        Ok(Response::new(pb::ListSlaPoliciesResponse { sla_policies, next_page_token }))
    }

    async fn update_sla_policy(
        &self,
        request: Request<pb::UpdateSlaPolicyRequest>,
    ) -> Result<Response<pb::UpdateSlaPolicyResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let (id, expected) = (id_of("sla_policy_id", &it.sla_policy_id)?, expected_version(&it.etag));
        let change = wire::sla::policy_change(given("spec", it.spec)?, it.update_mask.as_ref())?;
        let origin = runtime::origin(&call);
        let changed = self.0.update_sla_policy(&call.caller, origin, retry, id, change, expected).await;
        let sla_policy = Some(wire::sla::sla_policy(changed.map_err(Fault::from)?));
        Ok(Response::new(pb::UpdateSlaPolicyResponse { sla_policy }))
    }

    async fn delete_sla_policy(
        &self,
        request: Request<pb::DeleteSlaPolicyRequest>,
    ) -> Result<Response<pb::DeleteSlaPolicyResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (id, expected) = (id_of("sla_policy_id", &it.sla_policy_id)?, expected_version(&it.etag));
        let deleted = self.0.delete_sla_policy(&call.caller, runtime::origin(&call), id, expected).await;
        deleted.map_err(Fault::from)?;
        Ok(Response::new(pb::DeleteSlaPolicyResponse {}))
    }

    async fn get_conversation_sla(
        &self,
        request: Request<pb::GetConversationSlaRequest>,
    ) -> Result<Response<pb::GetConversationSlaResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("conversation_id", &request.get_ref().conversation_id)?;
        let standing = self.0.get_standing(&call.caller, id).await.map_err(Fault::from)?;
        let conversation_sla = Some(wire::sla::standing(standing));
        Ok(Response::new(pb::GetConversationSlaResponse { conversation_sla }))
    }

    async fn batch_get_conversation_sla(
        &self,
        request: Request<pb::BatchGetConversationSlaRequest>,
    ) -> Result<Response<pb::BatchGetConversationSlaResponse>, Status> {
        let call = rpc::call(&request)?;
        let ids = ids_of("conversation_ids", &request.get_ref().conversation_ids)?;
        let standings = self.0.list_standings(&call.caller, ids).await.map_err(Fault::from)?;
        let conversation_slas = standings.into_iter().map(wire::sla::standing).collect();
        Ok(Response::new(pb::BatchGetConversationSlaResponse { conversation_slas }))
    }

    async fn list_sla_breaches(
        &self,
        request: Request<pb::ListSlaBreachesRequest>,
    ) -> Result<Response<pb::ListSlaBreachesResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (filter, size) = (wire::sla::filter(&it)?, PageSize::of(it.page_size).map_err(Fault::from)?);
        let listed = self.0.list_sla_breaches(&call.caller, filter, size, &it.page_token).await;
        let (breaches, next_page_token) = listed.map_err(Fault::from)?;
        let sla_breaches = breaches.into_iter().map(wire::sla::breach).collect();
        Ok(Response::new(pb::ListSlaBreachesResponse { sla_breaches, next_page_token }))
    }
}
