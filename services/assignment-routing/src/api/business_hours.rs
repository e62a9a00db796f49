//! `BusinessHoursService`.

use proto::routing::v1 as pb;
use proto::routing::v1::business_hours_service_server::BusinessHoursService;
use rpc::Fault;
use rpc::convert::{expected_version, id_of};
use tonic::{Request, Response, Status};

use super::{Api, given};
use crate::wire::business_hours::{business_hours, week_of};

#[tonic::async_trait]
impl BusinessHoursService for Api {
    async fn get_business_hours(
        &self,
        request: Request<pb::GetBusinessHoursRequest>,
    ) -> Result<Response<pb::GetBusinessHoursResponse>, Status> {
        let call = rpc::call(&request)?;
        let team = id_of("team_id", &request.get_ref().team_id)?;
        let working = self.0.get_business_hours(&call.caller, team).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetBusinessHoursResponse { business_hours: Some(business_hours(working)) }))
    }

    async fn set_business_hours(
        &self,
        request: Request<pb::SetBusinessHoursRequest>,
    ) -> Result<Response<pb::SetBusinessHoursResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (team, expected) = (id_of("team_id", &it.team_id)?, expected_version(&it.etag));
        let week = week_of(given("week", it.week)?)?;
        let set = self.0.set_business_hours(&call.caller, runtime::origin(&call), team, week, expected).await;
        let business_hours = Some(business_hours(set.map_err(Fault::from)?));
        Ok(Response::new(pb::SetBusinessHoursResponse { business_hours }))
    }
}
