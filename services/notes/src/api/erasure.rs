//! `ErasureService`.

use erasure::Kind;
use kernel::{ContactId, ConversationId};
use proto::notes::v1 as pb;
use proto::notes::v1::erasure_service_server::ErasureService;
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
        let ids = ids_of::<ConversationId>("conversation_ids", &it.conversation_ids)?;
        let ids = ids.iter().map(ConversationId::as_uuid).collect();
        let erasure = id_of("erasure_id", &it.erasure_id)?;
        let erased =
            self.0.erase(&call.caller, runtime::origin(&call), erasure, Kind::Conversation, ids).await;
        Ok(Response::new(erased.map_err(Fault::from)?.into()))
    }

    async fn erase_contact(
        &self,
        request: Request<pb::EraseContactRequest>,
    ) -> Result<Response<pb::EraseContactResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let ids = ids_of::<ContactId>("contact_ids", &it.contact_ids)?;
        let ids = ids.iter().map(ContactId::as_uuid).collect();
        let erasure = id_of("erasure_id", &it.erasure_id)?;
        let erased = self.0.erase(&call.caller, runtime::origin(&call), erasure, Kind::Contact, ids).await;
        Ok(Response::new(erased.map_err(Fault::from)?.into()))
    }
}
