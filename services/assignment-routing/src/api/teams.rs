//! `TeamService`.

use kernel::PageSize;
use proto::routing::v1 as pb;
use proto::routing::v1::team_service_server::TeamService;
use rpc::Fault;
use rpc::convert::{expected_version, id_of, ids_of};
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire;

#[tonic::async_trait]
impl TeamService for Api {
    async fn create_team(
        &self,
        request: Request<pb::CreateTeamRequest>,
    ) -> Result<Response<pb::CreateTeamResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let new = wire::team::new_team(it)?;
        let made = self.0.create_team(&call.caller, runtime::origin(&call), retry, new).await;
        Ok(Response::new(pb::CreateTeamResponse { team: Some(wire::team::team(made.map_err(Fault::from)?)) }))
    }

    async fn get_team(
        &self,
        request: Request<pb::GetTeamRequest>,
    ) -> Result<Response<pb::GetTeamResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("team_id", &request.get_ref().team_id)?;
        let team = self.0.get_team(&call.caller, id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetTeamResponse { team: Some(wire::team::team(team)) }))
    }

    async fn list_teams(
        &self,
        request: Request<pb::ListTeamsRequest>,
    ) -> Result<Response<pb::ListTeamsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let size = PageSize::of(it.page_size).map_err(Fault::from)?;
        let listed = self.0.list_teams(&call.caller, size, &it.page_token).await;
        let (teams, next_page_token) = listed.map_err(Fault::from)?;
        let teams = teams.into_iter().map(wire::team::team).collect();
        Ok(Response::new(pb::ListTeamsResponse { teams, next_page_token }))
    }

    async fn update_team(
        &self,
        request: Request<pb::UpdateTeamRequest>,
    ) -> Result<Response<pb::UpdateTeamResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let (id, expected) = (id_of("team_id", &it.team_id)?, expected_version(&it.etag));
        let change = wire::team::team_change(&it)?;
        let team = self
            .0
            .update_team(&call.caller, runtime::origin(&call), retry, id, change, expected)
            .await
            .map_err(Fault::from)?;
        Ok(Response::new(pb::UpdateTeamResponse { team: Some(wire::team::team(team)) }))
    }

    async fn delete_team(
        &self,
        request: Request<pb::DeleteTeamRequest>,
    ) -> Result<Response<pb::DeleteTeamResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (id, expected) = (id_of("team_id", &it.team_id)?, expected_version(&it.etag));
        self.0.delete_team(&call.caller, runtime::origin(&call), id, expected).await.map_err(Fault::from)?;
        Ok(Response::new(pb::DeleteTeamResponse {}))
    }

    async fn add_team_members(
        &self,
        request: Request<pb::AddTeamMembersRequest>,
    ) -> Result<Response<pb::AddTeamMembersResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (id, agents) = (id_of("team_id", &it.team_id)?, ids_of("agent_ids", &it.agent_ids)?);
        let team = self
            .0
            .add_members(&call.caller, runtime::origin(&call), id, agents)
            .await
            .map_err(Fault::from)?;
        Ok(Response::new(pb::AddTeamMembersResponse { team: Some(wire::team::team(team)) }))
    }

    async fn remove_team_members(
        &self,
        request: Request<pb::RemoveTeamMembersRequest>,
    ) -> Result<Response<pb::RemoveTeamMembersResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (id, agents) = (id_of("team_id", &it.team_id)?, ids_of("agent_ids", &it.agent_ids)?);
        let team = self
            .0
            .remove_members(&call.caller, runtime::origin(&call), id, agents)
            .await
            .map_err(Fault::from)?;
        Ok(Response::new(pb::RemoveTeamMembersResponse { team: Some(wire::team::team(team)) }))
    }
}
