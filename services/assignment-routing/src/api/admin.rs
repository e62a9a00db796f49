//! `backchannel.routing.v1.AdminService`.

use proto::routing::v1 as pb;
use proto::routing::v1::admin_service_server::AdminService;
use tonic::{Request, Response, Status};

use super::Api;

#[tonic::async_trait]
impl AdminService for Api {
    async fn list_audit_events(
        &self,
        request: Request<pb::ListAuditEventsRequest>,
    ) -> Result<Response<pb::ListAuditEventsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let trail = self.0.audit_trail();
        let (events, next_page_token) = trail.list(&call, it.filter, it.page_size, &it.page_token).await?;
        Ok(Response::new(pb::ListAuditEventsResponse { events, next_page_token }))
    }

    async fn verify_audit_trail(
        &self,
        request: Request<pb::VerifyAuditTrailRequest>,
    ) -> Result<Response<pb::VerifyAuditTrailResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let verified = self.0.audit_trail().verify(&call, it.known_head, &it.page_token).await?;
        let (verification, next_page_token) = (Some(verified.0), verified.1);
        Ok(Response::new(pb::VerifyAuditTrailResponse { verification, next_page_token }))
    }
}
