//! `EventService`.

use proto::routing::v1 as pb;
use proto::routing::v1::event_service_server::EventService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire;

#[tonic::async_trait]
impl EventService for Api {
    async fn apply_events(
        &self,
        request: Request<pb::ApplyEventsRequest>,
    ) -> Result<Response<pb::ApplyEventsResponse>, Status> {
        let call = rpc::call(&request)?;
        let events = request.into_inner().events;
        let ids = events.iter().map(|event| event.event_id.clone()).collect();
        let happened = wire::event::events(events)?;
        let applied =
            self.0.apply_events(&call.caller, runtime::origin(&call), happened).await.map_err(Fault::from)?;
        Ok(Response::new(pb::ApplyEventsResponse { outcomes: wire::event::outcomes(ids, applied) }))
    }
}
