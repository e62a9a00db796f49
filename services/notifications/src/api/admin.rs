//! `backchannel.notifications.v1.AdminService`.

use proto::notifications::v1 as pb;
use proto::notifications::v1::admin_service_server::AdminService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::settings;

#[tonic::async_trait]
impl AdminService for Api {
    async fn list_audit_events(
        &self,
        request: Request<pb::ListAuditEventsRequest>,
    ) -> Result<Response<pb::ListAuditEventsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let trail = self.app.audit_trail();
        let (events, next_page_token) = trail.list(&call, it.filter, it.page_size, &it.page_token).await?;
        Ok(Response::new(pb::ListAuditEventsResponse { events, next_page_token }))
    }

    async fn verify_audit_trail(
        &self,
        request: Request<pb::VerifyAuditTrailRequest>,
    ) -> Result<Response<pb::VerifyAuditTrailResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let verified = self.app.audit_trail().verify(&call, it.known_head, &it.page_token).await?;
        let (verification, next_page_token) = (Some(verified.0), verified.1);
        Ok(Response::new(pb::VerifyAuditTrailResponse { verification, next_page_token }))
    }

    async fn get_settings(
        &self,
        request: Request<pb::GetSettingsRequest>,
    ) -> Result<Response<pb::GetSettingsResponse>, Status> {
        let call = rpc::call(&request)?;
        let decided = self.app.get_settings(&call.caller.org).await.map_err(Fault::from)?;
        let settings = Some(settings::settings(decided, self.app.retention));
        Ok(Response::new(pb::GetSettingsResponse { settings }))
    }

    async fn update_settings(
        &self,
        request: Request<pb::UpdateSettingsRequest>,
    ) -> Result<Response<pb::UpdateSettingsResponse>, Status> {
        let call = rpc::call(&request)?;
        let (change, retry) = settings::change(&call, &request.into_inner())?;
        let decided = self.app.update_settings(&call, retry, change).await.map_err(Fault::from)?;
        let settings = Some(settings::settings(decided, self.app.retention));
        Ok(Response::new(pb::UpdateSettingsResponse { settings }))
    }
}
