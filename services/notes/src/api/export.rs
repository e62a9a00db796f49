//! The history of a conversation as a file.

use futures::StreamExt;
use proto::notes::v1::conversation_export_service_server::ConversationExportService;
use proto::notes::v1::{ExportConversationRequest, ExportConversationResponse};
use rpc::Fault;
use rpc::stream::Live;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire;

#[tonic::async_trait]
impl ConversationExportService for Api {
    type ExportConversationStream = Live<ExportConversationResponse>;

    async fn export_conversation(
        &self,
        request: Request<ExportConversationRequest>,
    ) -> Result<Response<Self::ExportConversationStream>, Status> {
        let call = rpc::call(&request)?;
        let order = wire::export::order(&request.into_inner())?;
        let pieces = self.0.export_conversation(&call, order).await.map_err(Fault::from)?;
        let frames = pieces.map(|piece| piece.map(wire::export::piece).map_err(|e| Fault::from(e).into()));
        Ok(Response::new(Box::pin(frames)))
    }
}
