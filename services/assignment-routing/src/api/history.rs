//! `HistoryService`.

use proto::routing::v1 as pb;
use proto::routing::v1::history_service_server::HistoryService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire;

#[tonic::async_trait]
impl HistoryService for Api {
    async fn get_history(
        &self,
        request: Request<pb::GetHistoryRequest>,
    ) -> Result<Response<pb::GetHistoryResponse>, Status> {
        let call = rpc::call(&request)?;
        let stretch = wire::history::stretch(request.into_inner())?;
        let history = self.0.history(&call.caller, stretch).await.map_err(Fault::from)?;
        Ok(Response::new(wire::history::history(history)))
    }
}
