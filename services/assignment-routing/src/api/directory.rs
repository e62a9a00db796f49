//! `DirectoryService`.

use proto::routing::v1 as pb;
use proto::routing::v1::directory_service_server::DirectoryService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
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
}
