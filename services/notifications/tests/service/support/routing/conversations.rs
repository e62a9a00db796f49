//! Which conversations people may see: all that a test says there are.

use db::BoxFuture;
use proto::routing::v1::conversation_service_server::ConversationService;
use proto::routing::v1::*;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Routing;

impl Routing {
    /// There is this conversation.
    pub(crate) fn conversation(&self, org: &str, conversation_id: &str) {
        self.0.lock().unwrap().conversations.insert((org.to_owned(), conversation_id.to_owned()));
    }
}

/// Written as `async_trait` would: it does not see into macros.
macro_rules! not_asked {
    ($($name:ident($request:ty) -> $response:ty;)+) => {$(
        fn $name<'a, 'b>(&'a self, _: Request<$request>) -> BoxFuture<'b, Result<Response<$response>, Status>>
        where
            'a: 'b,
            Self: 'b,
        {
            Box::pin(async { Err(Status::unimplemented(stringify!($name))) })
        }
    )+};
}

#[tonic::async_trait]
impl ConversationService for Routing {
    async fn get_conversation(
        &self,
        request: Request<GetConversationRequest>,
    ) -> Result<Response<GetConversationResponse>, Status> {
        self.of(&request)?;
        let org = rpc::call(&request)?.caller.org.to_string();
        let conversation_id = request.into_inner().conversation_id;
        if !self.0.lock().unwrap().conversations.contains(&(org, conversation_id.clone())) {
            return Err(Fault::not_found().into());
        }
        let conversation = Conversation { conversation_id, ..Conversation::default() };
        Ok(Response::new(GetConversationResponse { conversation: Some(conversation) }))
    }

    not_asked! {
        record_message(RecordMessageRequest) -> RecordMessageResponse;
        list_conversations(ListConversationsRequest) -> ListConversationsResponse;
        get_inbox_counts(GetInboxCountsRequest) -> GetInboxCountsResponse;
        update_conversation(UpdateConversationRequest) -> UpdateConversationResponse;
        list_messages(ListMessagesRequest) -> ListMessagesResponse;
        resolve_conversation(ResolveConversationRequest) -> ResolveConversationResponse;
        reopen_conversation(ReopenConversationRequest) -> ReopenConversationResponse;
        snooze_conversation(SnoozeConversationRequest) -> SnoozeConversationResponse;
        mark_conversation_read(MarkConversationReadRequest) -> MarkConversationReadResponse;
    }
}
