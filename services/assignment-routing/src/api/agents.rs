//! `AgentService`.

use kernel::PageSize;
use proto::routing::v1 as pb;
use proto::routing::v1::agent_service_server::AgentService;
use rpc::Fault;
use rpc::convert::{expected_version, id_of, optional_id_of};
use tonic::{Request, Response, Status};

use super::{Api, given};
use crate::wire;

#[tonic::async_trait]
impl AgentService for Api {
    async fn create_agent(
        &self,
        request: Request<pb::CreateAgentRequest>,
    ) -> Result<Response<pb::CreateAgentResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let subject = id_of("subject", &it.subject)?;
        let profile = wire::agent::profile(given("profile", it.profile)?)?;
        let agent = self
            .0
            .create_agent(&call.caller, runtime::origin(&call), retry, subject, profile)
            .await
            .map_err(Fault::from)?;
        Ok(Response::new(pb::CreateAgentResponse {
            agent: Some(wire::agent::agent(agent, self.0.clock.now())),
        }))
    }

    async fn get_agent(
        &self,
        request: Request<pb::GetAgentRequest>,
    ) -> Result<Response<pb::GetAgentResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("agent_id", &request.get_ref().agent_id)?;
        let agent = self.0.get_agent(&call.caller, id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetAgentResponse { agent: Some(wire::agent::agent(agent, self.0.clock.now())) }))
    }

    async fn get_my_agent(
        &self,
        request: Request<pb::GetMyAgentRequest>,
    ) -> Result<Response<pb::GetMyAgentResponse>, Status> {
        let call = rpc::call(&request)?;
        let agent = self.0.agent_of(&call.caller).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetMyAgentResponse {
            agent: Some(wire::agent::agent(agent, self.0.clock.now())),
        }))
    }

    async fn list_agents(
        &self,
        request: Request<pb::ListAgentsRequest>,
    ) -> Result<Response<pb::ListAgentsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let team = optional_id_of("team_id", &it.team_id)?;
        let availability = wire::agent::availability_of(it.availability());
        let size = PageSize::of(it.page_size).map_err(Fault::from)?;
        let listed = self.0.list_agents(&call.caller, team, availability, size, &it.page_token).await;
        let (agents, next_page_token) = listed.map_err(Fault::from)?;
        let now = self.0.clock.now();
        let agents = agents.into_iter().map(|agent| wire::agent::agent(agent, now)).collect();
        Ok(Response::new(pb::ListAgentsResponse { agents, next_page_token }))
    }

    async fn update_agent(
        &self,
        request: Request<pb::UpdateAgentRequest>,
    ) -> Result<Response<pb::UpdateAgentResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let (id, expected) = (id_of("agent_id", &it.agent_id)?, expected_version(&it.etag));
        let change = wire::agent::profile_change(given("profile", it.profile)?, it.update_mask.as_ref())?;
        let agent = self
            .0
            .update_agent(&call.caller, runtime::origin(&call), retry, id, change, expected)
            .await
            .map_err(Fault::from)?;
        Ok(Response::new(pb::UpdateAgentResponse {
            agent: Some(wire::agent::agent(agent, self.0.clock.now())),
        }))
    }

    async fn set_availability(
        &self,
        request: Request<pb::SetAvailabilityRequest>,
    ) -> Result<Response<pb::SetAvailabilityResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let id = id_of("agent_id", &it.agent_id)?;
        let said = given("availability", wire::agent::availability_of(it.availability()))?;
        let agent = self
            .0
            .set_availability(&call.caller, runtime::origin(&call), id, said, it.pinned)
            .await
            .map_err(Fault::from)?;
        Ok(Response::new(pb::SetAvailabilityResponse {
            agent: Some(wire::agent::agent(agent, self.0.clock.now())),
        }))
    }

    async fn send_heartbeat(
        &self,
        request: Request<pb::SendHeartbeatRequest>,
    ) -> Result<Response<pb::SendHeartbeatResponse>, Status> {
        let call = rpc::call(&request)?;
        let presence =
            self.0.send_heartbeat(&call.caller, runtime::origin(&call)).await.map_err(Fault::from)?;
        Ok(Response::new(wire::agent::beaten(presence)))
    }
}
