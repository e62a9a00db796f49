//! `backchannel.notes.v1.InternalMessageService`.

use kernel::PageSize;
use proto::notes::v1 as pb;
use proto::notes::v1::internal_message_service_server::InternalMessageService;
use rpc::Fault;
use rpc::convert::{id_of, ids_of, optional_id_of};
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::internal_message as wire;

#[tonic::async_trait]
impl InternalMessageService for Api {
    async fn send_internal_message(
        &self,
        request: Request<pb::SendInternalMessageRequest>,
    ) -> Result<Response<pb::SendInternalMessageResponse>, Status> {
        let call = rpc::call(&request)?;
        let (new, retry) = wire::new_message(&call, request.into_inner())?;
        let (message, thread) = self.0.send_internal_message(&call, retry, new).await.map_err(Fault::from)?;
        let thread = Some(wire::thread(thread, &call.caller.subject));
        Ok(Response::new(pb::SendInternalMessageResponse { message: Some(wire::message(message)), thread }))
    }

    async fn list_internal_messages(
        &self,
        request: Request<pb::ListInternalMessagesRequest>,
    ) -> Result<Response<pb::ListInternalMessagesResponse>, Status> {
        let call = rpc::call(&request)?;
        let page = wire::page(request.into_inner())?;
        let page = self.0.list_internal_messages(&call, page).await.map_err(Fault::from)?;
        Ok(Response::new(wire::listed(page, &call.caller.subject)))
    }

    async fn mark_internal_messages_read(
        &self,
        request: Request<pb::MarkInternalMessagesReadRequest>,
    ) -> Result<Response<pb::MarkInternalMessagesReadResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let conversation_id = id_of("conversation_id", &it.conversation_id)?;
        let up_to = optional_id_of("up_to_internal_message_id", &it.up_to_internal_message_id)?;
        let unread = self.0.mark_internal_messages_read(&call, conversation_id, up_to).await;
        Ok(Response::new(wire::marked(unread.map_err(Fault::from)?)))
    }

    async fn list_internal_threads(
        &self,
        request: Request<pb::ListInternalThreadsRequest>,
    ) -> Result<Response<pb::ListInternalThreadsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let size = PageSize::of(it.page_size).map_err(Fault::from)?;
        let listed = self.0.list_internal_threads(&call, it.unread_only, size, &it.page_token).await;
        let (threads, next_page_token) = listed.map_err(Fault::from)?;
        let threads = threads.into_iter().map(|thread| wire::thread(thread, &call.caller.subject)).collect();
        Ok(Response::new(pb::ListInternalThreadsResponse { threads, next_page_token }))
    }

    async fn get_internal_unread_counts(
        &self,
        request: Request<pb::GetInternalUnreadCountsRequest>,
    ) -> Result<Response<pb::GetInternalUnreadCountsResponse>, Status> {
        let call = rpc::call(&request)?;
        let conversations = ids_of("conversation_ids", &request.into_inner().conversation_ids)?;
        let counted = self.0.count_internal_unread(&call, conversations).await.map_err(Fault::from)?;
        Ok(Response::new(wire::counted(counted)))
    }
}
