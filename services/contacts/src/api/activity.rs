//! `backchannel.contacts.v1.ActivityService` and `ActivityEventService`.

use proto::contacts::v1 as pb;
use proto::contacts::v1::activity_event_service_server::ActivityEventService;
use proto::contacts::v1::activity_service_server::ActivityService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::activity as wire;

#[tonic::async_trait]
impl ActivityService for Api {
    async fn list_contact_activity(
        &self,
        request: Request<pb::ListContactActivityRequest>,
    ) -> Result<Response<pb::ListContactActivityResponse>, Status> {
        let call = rpc::call(&request)?;
        let list = wire::list(request.into_inner())?;
        let page = self.app.list_activity(&call.caller.org, list).await.map_err(Fault::from)?;
        Ok(Response::new(wire::page(page)))
    }
}

#[tonic::async_trait]
impl ActivityEventService for Api {
    async fn apply_activity_events(
        &self,
        request: Request<pb::ApplyActivityEventsRequest>,
    ) -> Result<Response<pb::ApplyActivityEventsResponse>, Status> {
        let call = rpc::call(&request)?;
        let events = request.into_inner().events;
        let ids = events.iter().map(|event| event.event_id.clone()).collect();
        let told = wire::told(events)?;
        let applied = self.app.apply_activity_events(&call.caller.org, runtime::origin(&call), told).await;
        let outcomes = wire::outcomes(ids, applied.map_err(Fault::from)?);
        Ok(Response::new(pb::ApplyActivityEventsResponse { outcomes }))
    }
}
