//! `backchannel.notes.v1.TimelineService`.

use proto::notes::v1 as pb;
use proto::notes::v1::timeline_service_server::TimelineService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::timeline as wire;

#[tonic::async_trait]
impl TimelineService for Api {
    async fn list_timeline(
        &self,
        request: Request<pb::ListTimelineRequest>,
    ) -> Result<Response<pb::ListTimelineResponse>, Status> {
        let call = rpc::call(&request)?;
        let asked = wire::request(request.into_inner())?;
        let page = self.0.list_timeline(&call, asked).await.map_err(Fault::from)?;
        Ok(Response::new(wire::listed(page)))
    }
}
