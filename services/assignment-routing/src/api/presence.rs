//! `PresenceService`.

use proto::routing::v1 as pb;
use proto::routing::v1::presence_service_server::PresenceService;
use rpc::Fault;
use rpc::convert::id_of;
use rpc::stream::Live;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire;

#[tonic::async_trait]
impl PresenceService for Api {
    type WatchPresenceStream = Live<pb::WatchPresenceResponse>;

    async fn report_presence(
        &self,
        request: Request<pb::ReportPresenceRequest>,
    ) -> Result<Response<pb::ReportPresenceResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("conversation_id", &request.get_ref().conversation_id)?;
        let activity = wire::presence::activity(request.get_ref().activity())?;
        let people = self.0.report_presence(&call.caller, id, activity).await.map_err(Fault::from)?;
        let presence = Some(wire::presence::presence(id, people));
        Ok(Response::new(pb::ReportPresenceResponse { presence }))
    }

    async fn watch_presence(
        &self,
        request: Request<pb::WatchPresenceRequest>,
    ) -> Result<Response<Live<pb::WatchPresenceResponse>>, Status> {
        let call = rpc::call(&request)?;
        let ids = request.get_ref().conversation_ids.iter().map(|id| id_of("conversation_ids", id));
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        Ok(Response::new(self.0.watch_presence(&call, ids).await?))
    }
}
