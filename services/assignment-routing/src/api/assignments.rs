//! `AssignmentService`.

use kernel::PageSize;
use proto::routing::v1 as pb;
use proto::routing::v1::assignment_service_server::AssignmentService;
use rpc::Fault;
use rpc::convert::{expected_version, id_of};
use tonic::{Request, Response, Status};

use super::Api;
use crate::app::effects::Item;
use crate::wire;

#[tonic::async_trait]
impl AssignmentService for Api {
    async fn assign_conversation(
        &self,
        request: Request<pb::AssignConversationRequest>,
    ) -> Result<Response<pb::AssignConversationResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let (id, expected) = (id_of("conversation_id", &it.conversation_id)?, expected_version(&it.etag));
        let handover = wire::handoff::handover(it.target.as_ref(), it.handoff)?;
        let item = Item { id, expected };
        let assigned = self.0.assign(&call.caller, runtime::origin(&call), retry, item, handover).await;
        let conversation = Some(wire::conversation::conversation(assigned.map_err(Fault::from)?, true));
        Ok(Response::new(pb::AssignConversationResponse { conversation }))
    }

    async fn explain_assignment(
        &self,
        request: Request<pb::ExplainAssignmentRequest>,
    ) -> Result<Response<pb::ExplainAssignmentResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let id = id_of("conversation_id", &it.conversation_id)?;
        let size = PageSize::of(it.page_size).map_err(Fault::from)?;
        let explained = self.0.explain(&call.caller, id, size, &it.page_token).await.map_err(Fault::from)?;
        Ok(Response::new(wire::decision::explained(explained)))
    }
}
