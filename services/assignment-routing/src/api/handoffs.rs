//! `HandoffService`.

use proto::routing::v1 as pb;
use proto::routing::v1::handoff_service_server::HandoffService;
use rpc::Fault;
use rpc::convert::{expected_version, id_of};
use tonic::{Request, Response, Status};

use super::Api;
use crate::app::effects::Item;
use crate::wire;

#[tonic::async_trait]
impl HandoffService for Api {
    async fn escalate_conversation(
        &self,
        request: Request<pb::EscalateConversationRequest>,
    ) -> Result<Response<pb::EscalateConversationResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let (id, expected) = (id_of("conversation_id", &it.conversation_id)?, expected_version(&it.etag));
        let (item, handover) = (Item { id, expected }, wire::handoff::escalation(it)?);
        let escalated = self.0.assign(&call.caller, runtime::origin(&call), retry, item, handover).await;
        let conversation = Some(wire::conversation::conversation(escalated.map_err(Fault::from)?, true));
        Ok(Response::new(pb::EscalateConversationResponse { conversation }))
    }
}
