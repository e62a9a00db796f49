//! `ReportService`.

use proto::routing::v1 as pb;
use proto::routing::v1::report_service_server::ReportService;
use rpc::Fault;
use rpc::convert::id_of;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::report as wire;

#[tonic::async_trait]
impl ReportService for Api {
    async fn get_agent_report(
        &self,
        request: Request<pb::GetAgentReportRequest>,
    ) -> Result<Response<pb::GetAgentReportResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.get_ref();
        let (agent, stretch) = (id_of("agent_id", &it.agent_id)?, wire::agent_stretch(it)?);
        let report = self.0.agent_report(&call.caller, agent, stretch).await.map_err(Fault::from)?;
        Ok(Response::new(wire::agent_report(report)))
    }

    async fn get_team_report(
        &self,
        request: Request<pb::GetTeamReportRequest>,
    ) -> Result<Response<pb::GetTeamReportResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.get_ref();
        let (team, stretch) = (id_of("team_id", &it.team_id)?, wire::team_stretch(it)?);
        let report = self.0.team_report(&call.caller, team, stretch).await.map_err(Fault::from)?;
        Ok(Response::new(wire::team_report(report)))
    }
}
