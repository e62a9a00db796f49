//! `backchannel.notifications.v1.ErasureService`.

use proto::notifications::v1 as pb;
use proto::notifications::v1::erasure_service_server::ErasureService;
use rpc::Fault;
use rpc::convert::{id_of, ids_of};
use tonic::{Request, Response, Status};

use super::Api;

#[tonic::async_trait]
impl ErasureService for Api {
    async fn erase_conversations(
        &self,
        request: Request<pb::EraseConversationsRequest>,
    ) -> Result<Response<pb::EraseConversationsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let ids = ids_of("conversation_ids", &it.conversation_ids)?;
        let (org, erasure) = (&call.caller.org, id_of("erasure_id", &it.erasure_id)?);
        let erased = self.app.erase_conversations(org, runtime::origin(&call), erasure, ids).await;
        Ok(Response::new(erased.map_err(Fault::from)?.into()))
    }
}
