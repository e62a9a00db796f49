//! `WorkflowService`.

use kernel::PageSize;
use proto::routing::v1 as pb;
use proto::routing::v1::workflow_service_server::WorkflowService;
use rpc::Fault;
use rpc::convert::{expected_version, id_of};
use tonic::{Request, Response, Status};

use super::{Api, given};
use crate::wire;

#[tonic::async_trait]
impl WorkflowService for Api {
    async fn create_workflow(
        &self,
        request: Request<pb::CreateWorkflowRequest>,
    ) -> Result<Response<pb::CreateWorkflowResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let spec = wire::workflow::new_workflow("spec", given("spec", it.spec)?)?;
        let workflow = self
            .0
            .create_workflow(&call.caller, runtime::origin(&call), retry, spec)
            .await
            .map_err(Fault::from)?;
        Ok(Response::new(pb::CreateWorkflowResponse { workflow: Some(wire::workflow::workflow(workflow)) }))
    }

    async fn get_workflow(
        &self,
        request: Request<pb::GetWorkflowRequest>,
    ) -> Result<Response<pb::GetWorkflowResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("workflow_id", &request.get_ref().workflow_id)?;
        let workflow = self.0.get_workflow(&call.caller, id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetWorkflowResponse { workflow: Some(wire::workflow::workflow(workflow)) }))
    }

    async fn list_workflows(
        &self,
        request: Request<pb::ListWorkflowsRequest>,
    ) -> Result<Response<pb::ListWorkflowsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let size = PageSize::of(it.page_size).map_err(Fault::from)?;
        let listed = self.0.list_workflows(&call.caller, size, &it.page_token).await;
        let (workflows, next_page_token) = listed.map_err(Fault::from)?;
        let workflows = workflows.into_iter().map(wire::workflow::workflow).collect();
        Ok(Response::new(pb::ListWorkflowsResponse { workflows, next_page_token }))
    }

    async fn update_workflow(
        &self,
        request: Request<pb::UpdateWorkflowRequest>,
    ) -> Result<Response<pb::UpdateWorkflowResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let (id, expected) = (id_of("workflow_id", &it.workflow_id)?, expected_version(&it.etag));
        let change = wire::workflow::workflow_change(given("spec", it.spec)?, it.update_mask.as_ref())?;
        let workflow = self
            .0
            .update_workflow(&call.caller, runtime::origin(&call), retry, id, change, expected)
            .await
            .map_err(Fault::from)?;
        Ok(Response::new(pb::UpdateWorkflowResponse { workflow: Some(wire::workflow::workflow(workflow)) }))
    }

    async fn delete_workflow(
        &self,
        request: Request<pb::DeleteWorkflowRequest>,
    ) -> Result<Response<pb::DeleteWorkflowResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let (id, expected) = (id_of("workflow_id", &it.workflow_id)?, expected_version(&it.etag));
        self.0
            .delete_workflow(&call.caller, runtime::origin(&call), id, expected)
            .await
            .map_err(Fault::from)?;
        Ok(Response::new(pb::DeleteWorkflowResponse {}))
    }
}
