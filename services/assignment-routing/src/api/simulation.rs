//! `SimulationService`.

use kernel::PageSize;
use proto::routing::v1 as pb;
use proto::routing::v1::simulation_service_server::SimulationService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::simulation::{simulated, trial};

#[tonic::async_trait]
impl SimulationService for Api {
    async fn simulate_workflows(
        &self,
        request: Request<pb::SimulateWorkflowsRequest>,
    ) -> Result<Response<pb::SimulateWorkflowsResponse>, Status> {
        let call = rpc::call(&request)?;
        let mut it = request.into_inner();
        let size = PageSize::of(it.page_size).map_err(Fault::from)?;
        let token = std::mem::take(&mut it.page_token);
        let answer = self.0.simulate(&call.caller, trial(it)?, size, &token).await.map_err(Fault::from)?;
        Ok(Response::new(simulated(answer)))
    }
}
