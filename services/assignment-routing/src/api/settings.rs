//! `SettingsService`.

use proto::routing::v1 as pb;
use proto::routing::v1::settings_service_server::SettingsService;
use rpc::Fault;
use rpc::convert::expected_version;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::settings as wire;

#[tonic::async_trait]
impl SettingsService for Api {
    async fn get_settings(
        &self,
        request: Request<pb::GetSettingsRequest>,
    ) -> Result<Response<pb::GetSettingsResponse>, Status> {
        let call = rpc::call(&request)?;
        let settings = self.0.get_settings(&call.caller).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetSettingsResponse { settings: Some(wire::settings(settings)) }))
    }

    async fn update_settings(
        &self,
        request: Request<pb::UpdateSettingsRequest>,
    ) -> Result<Response<pb::UpdateSettingsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let (change, expected) = (wire::settings_change(&it)?, expected_version(&it.etag));
        let origin = runtime::origin(&call);
        let updated = self.0.update_settings(&call.caller, origin, retry, change, expected).await;
        let settings = Some(wire::settings(updated.map_err(Fault::from)?));
        Ok(Response::new(pb::UpdateSettingsResponse { settings }))
    }
}
