//! `DirectoryService`.

use kernel::PageSize;
use proto::routing::v1 as pb;
use proto::routing::v1::directory_service_server::DirectoryService;
use rpc::Fault;
use rpc::convert::ids_of;
use tonic::{Request, Response, Status};

use super::Api;
use crate::app::search_people::Search;
use crate::domain::name_query::NameQuery;
use crate::wire;

#[tonic::async_trait]
impl DirectoryService for Api {
    async fn resolve_handles(
        &self,
        request: Request<pb::ResolveHandlesRequest>,
    ) -> Result<Response<pb::ResolveHandlesResponse>, Status> {
        let call = rpc::call(&request)?;
        let handles = request.into_inner().handles;
        let resolved = self.0.resolve_handles(&call.caller, handles).await.map_err(Fault::from)?;
        let handles = resolved.into_iter().map(wire::team::resolved).collect();
        Ok(Response::new(pb::ResolveHandlesResponse { handles }))
    }

    async fn search_people(
        &self,
        request: Request<pb::SearchPeopleRequest>,
    ) -> Result<Response<pb::SearchPeopleResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let size = PageSize::of(it.page_size).map_err(Fault::from)?;
        let search = Search { name: NameQuery::of(&it.query), supervisors_only: it.supervisors_only };
        let found = self.0.search_people(&call.caller, search, size, &it.page_token).await;
        let (people, next_page_token) = found.map_err(Fault::from)?;
        let now = self.0.clock.now();
        let people = people.into_iter().map(|found| wire::agent::found(found, now)).collect();
        Ok(Response::new(pb::SearchPeopleResponse { people, next_page_token }))
    }

    async fn batch_get_profiles(
        &self,
        request: Request<pb::BatchGetProfilesRequest>,
    ) -> Result<Response<pb::BatchGetProfilesResponse>, Status> {
        let call = rpc::call(&request)?;
        let subjects = ids_of("subjects", &request.into_inner().subjects)?;
        let found = self.0.reach(&call.caller, subjects).await.map_err(Fault::from)?;
        let profiles = found.into_iter().map(wire::agent::reach).collect();
        Ok(Response::new(pb::BatchGetProfilesResponse { profiles }))
    }
}
