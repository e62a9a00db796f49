//! `ConversationService`.

use kernel::PageSize;
use proto::routing::v1 as pb;
use proto::routing::v1::conversation_service_server::ConversationService;
use rpc::Fault;
use rpc::convert::{expected_version, id_of, time_of};
use tonic::{Request, Response, Status};

use super::{Api, given};
use crate::app::effects::Item;
use crate::app::sight::Sight;
use crate::wire;
use crate::wire::conversation::conversation;

#[tonic::async_trait]
impl ConversationService for Api {
    async fn record_message(
        &self,
        request: Request<pb::RecordMessageRequest>,
    ) -> Result<Response<pb::RecordMessageResponse>, Status> {
        let call = rpc::call(&request)?;
        let new = wire::message::new_message(request.into_inner())?;
        let recorded = self.0.record_message(&call, new).await.map_err(Fault::from)?;
        Ok(Response::new(wire::message::recorded(recorded)))
    }

    async fn get_conversation(
        &self,
        request: Request<pb::GetConversationRequest>,
    ) -> Result<Response<pb::GetConversationResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("conversation_id", &request.get_ref().conversation_id)?;
        let found = self.0.get_conversation(&call.caller, id).await.map_err(Fault::from)?;
        let conversation = Some(conversation(found, Sight::of(&call.caller).inside()));
        Ok(Response::new(pb::GetConversationResponse { conversation }))
    }

    async fn list_conversations(
        &self,
        request: Request<pb::ListConversationsRequest>,
    ) -> Result<Response<pb::ListConversationsResponse>, Status> {
        let call = rpc::call(&request)?;
        let (it, inside) = (request.into_inner(), Sight::of(&call.caller).inside());
        let (filter, size) =
            (wire::inbox::filter(&it, inside)?, PageSize::of(it.page_size).map_err(Fault::from)?);
        let listed = self.0.list_conversations(&call.caller, filter, size, &it.page_token).await;
        let (entries, next_page_token) = listed.map_err(Fault::from)?;
        let entries = entries.into_iter().map(|entry| wire::inbox::entry(entry, inside)).collect();
        Ok(Response::new(pb::ListConversationsResponse { entries, next_page_token }))
    }

    async fn get_inbox_counts(
        &self,
        request: Request<pb::GetInboxCountsRequest>,
    ) -> Result<Response<pb::GetInboxCountsResponse>, Status> {
        let call = rpc::call(&request)?;
        let counts = self.0.count_inbox(&call.caller).await.map_err(Fault::from)?;
        let counts = counts.into_iter().map(wire::inbox::count).collect();
        Ok(Response::new(pb::GetInboxCountsResponse { counts }))
    }

    async fn update_conversation(
        &self,
        request: Request<pb::UpdateConversationRequest>,
    ) -> Result<Response<pb::UpdateConversationResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let (id, expected) = (id_of("conversation_id", &it.conversation_id)?, expected_version(&it.etag));
        let change = wire::conversation::conversation_change(it)?;
        let updated = self
            .0
            .update_conversation(&call.caller, runtime::origin(&call), retry, id, change, expected)
            .await;
        let conversation = Some(conversation(updated.map_err(Fault::from)?, true));
        Ok(Response::new(pb::UpdateConversationResponse { conversation }))
    }

    async fn list_messages(
        &self,
        request: Request<pb::ListMessagesRequest>,
    ) -> Result<Response<pb::ListMessagesResponse>, Status> {
        let call = rpc::call(&request)?;
        let (it, inside) = (request.into_inner(), Sight::of(&call.caller).inside());
        let id = id_of("conversation_id", &it.conversation_id)?;
        let size = PageSize::of(it.page_size).map_err(Fault::from)?;
        let listed = self.0.list_messages(&call.caller, id, size, &it.page_token).await;
        let (messages, next_page_token) = listed.map_err(Fault::from)?;
        let messages = messages.into_iter().map(|message| wire::message::message(message, inside)).collect();
        Ok(Response::new(pb::ListMessagesResponse { messages, next_page_token }))
    }

    async fn resolve_conversation(
        &self,
        request: Request<pb::ResolveConversationRequest>,
    ) -> Result<Response<pb::ResolveConversationResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (id, expected) = (id_of("conversation_id", &it.conversation_id)?, expected_version(&it.etag));
        let resolved = self.0.resolve(&call.caller, runtime::origin(&call), Item { id, expected }).await;
        let resolved = resolved.map_err(Fault::from)?;
        Ok(Response::new(pb::ResolveConversationResponse {
            conversation: Some(conversation(resolved, true)),
        }))
    }

    async fn reopen_conversation(
        &self,
        request: Request<pb::ReopenConversationRequest>,
    ) -> Result<Response<pb::ReopenConversationResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (id, expected) = (id_of("conversation_id", &it.conversation_id)?, expected_version(&it.etag));
        let reopened = self.0.reopen(&call.caller, runtime::origin(&call), Item { id, expected }).await;
        let reopened = reopened.map_err(Fault::from)?;
        Ok(Response::new(pb::ReopenConversationResponse { conversation: Some(conversation(reopened, true)) }))
    }

    async fn snooze_conversation(
        &self,
        request: Request<pb::SnoozeConversationRequest>,
    ) -> Result<Response<pb::SnoozeConversationResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (id, expected) = (id_of("conversation_id", &it.conversation_id)?, expected_version(&it.etag));
        let until = given("snooze_until_time", it.snooze_until_time)?;
        let until = time_of("snooze_until_time", &until)?;
        let item = Item { id, expected };
        let snoozed = self.0.snooze(&call.caller, runtime::origin(&call), item, until).await;
        let snoozed = snoozed.map_err(Fault::from)?;
        Ok(Response::new(pb::SnoozeConversationResponse { conversation: Some(conversation(snoozed, true)) }))
    }

    async fn mark_conversation_read(
        &self,
        request: Request<pb::MarkConversationReadRequest>,
    ) -> Result<Response<pb::MarkConversationReadResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("conversation_id", &request.get_ref().conversation_id)?;
        self.0.mark_read(&call.caller, id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::MarkConversationReadResponse {}))
    }
}
