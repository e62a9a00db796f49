//! `ErasureService`.

use kernel::{ConversationId, PageSize};
use proto::routing::v1 as pb;
use proto::routing::v1::erasure_service_server::ErasureService;
use rpc::Fault;
use rpc::convert::{id_of, ids_of};
use tonic::{Request, Response, Status};

use super::Api;

#[tonic::async_trait]
impl ErasureService for Api {
    async fn erase_contact(
        &self,
        request: Request<pb::EraseContactRequest>,
    ) -> Result<Response<pb::EraseContactResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (erasure, contacts) =
            (id_of("erasure_id", &it.erasure_id)?, ids_of("contact_ids", &it.contact_ids)?);
        let origin = runtime::origin(&call);
        let progress = self.0.erase_contact(&call.caller, origin, erasure, contacts).await;
        Ok(Response::new(progress.map_err(Fault::from)?.into()))
    }

    async fn list_erased_conversations(
        &self,
        request: Request<pb::ListErasedConversationsRequest>,
    ) -> Result<Response<pb::ListErasedConversationsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (erasure, size) =
            (id_of("erasure_id", &it.erasure_id)?, PageSize::of(it.page_size).map_err(Fault::from)?);
        let page = self.0.list_erased_conversations(&call.caller, erasure, size, &it.page_token).await;
        let (ids, next_page_token) = page.map_err(Fault::from)?;
        let conversation_ids = ids.iter().map(ConversationId::to_string).collect();
        Ok(Response::new(pb::ListErasedConversationsResponse { conversation_ids, next_page_token }))
    }
}
