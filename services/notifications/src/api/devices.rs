//! `backchannel.notifications.v1.DeviceService`.

use kernel::PageSize;
use proto::notifications::v1 as pb;
use proto::notifications::v1::device_service_server::DeviceService;
use rpc::Fault;
use rpc::convert::id_of;
use tonic::{Request, Response, Status};

use super::{Api, own};
use crate::wire::devices as wire;

#[tonic::async_trait]
impl DeviceService for Api {
    async fn register_device(
        &self,
        request: Request<pb::RegisterDeviceRequest>,
    ) -> Result<Response<pb::RegisterDeviceResponse>, Status> {
        let origin = runtime::origin(&rpc::call(&request)?);
        let (owner, request) = own(request)?;
        let new = wire::new_device(request).map_err(Fault::from)?;
        let device = self.app.register_device(owner, origin, new).await.map_err(Fault::from)?;
        Ok(Response::new(pb::RegisterDeviceResponse { device: Some(device.into()) }))
    }

    async fn list_devices(
        &self,
        request: Request<pb::ListDevicesRequest>,
    ) -> Result<Response<pb::ListDevicesResponse>, Status> {
        let (owner, request) = own(request)?;
        let size = PageSize::of(request.page_size).map_err(Fault::from)?;
        let page = self.app.list_devices(owner, size, &request.page_token).await.map_err(Fault::from)?;
        Ok(Response::new(page.into()))
    }

    async fn remove_device(
        &self,
        request: Request<pb::RemoveDeviceRequest>,
    ) -> Result<Response<pb::RemoveDeviceResponse>, Status> {
        let origin = runtime::origin(&rpc::call(&request)?);
        let (owner, request) = own(request)?;
        let id = id_of("device_id", &request.device_id)?;
        self.app.remove_device(owner, origin, id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::RemoveDeviceResponse {}))
    }

    async fn get_web_push_key(
        &self,
        _request: Request<pb::GetWebPushKeyRequest>,
    ) -> Result<Response<pb::GetWebPushKeyResponse>, Status> {
        let public_key = self.app.web_push_key().map_err(Fault::from)?;
        Ok(Response::new(pb::GetWebPushKeyResponse { public_key }))
    }
}
