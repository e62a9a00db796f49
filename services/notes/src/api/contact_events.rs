//! `backchannel.notes.v1.ContactEventService`.

use proto::notes::v1 as pb;
use proto::notes::v1::contact_event_service_server::ContactEventService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::error::Error;

#[tonic::async_trait]
impl ContactEventService for Api {
    async fn apply_contact_events(
        &self,
        request: Request<pb::ApplyContactEventsRequest>,
    ) -> Result<Response<pb::ApplyContactEventsResponse>, Status> {
        let call = rpc::call(&request)?;
        let heard = merges::heard(request.into_inner().events)?;
        let origin = runtime::origin(&call);
        let applied = self.0.follower.apply(&call.caller.org, origin, heard).await;
        let outcomes = applied.map_err(Error::from).map_err(Fault::from)?;
        Ok(Response::new(pb::ApplyContactEventsResponse { outcomes }))
    }
}
