//! `backchannel.notifications.v1.DeliveryService`.

use proto::notifications::v1 as pb;
use proto::notifications::v1::delivery_service_server::DeliveryService;
use rpc::Fault;
use rpc::convert::id_of;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::deliveries as wire;

#[tonic::async_trait]
impl DeliveryService for Api {
    async fn list_deliveries(
        &self,
        request: Request<pb::ListDeliveriesRequest>,
    ) -> Result<Response<pb::ListDeliveriesResponse>, Status> {
        let org = rpc::call(&request)?.caller.org.clone();
        let list = wire::list(org, request.into_inner())?;
        let page = self.app.list_deliveries(list).await.map_err(Fault::from)?;
        Ok(Response::new(page.into()))
    }

    async fn get_delivery(
        &self,
        request: Request<pb::GetDeliveryRequest>,
    ) -> Result<Response<pb::GetDeliveryResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("delivery_id", &request.into_inner().delivery_id)?;
        let found = self.app.get_delivery(&call.caller.org, id).await.map_err(Fault::from)?;
        Ok(Response::new(wire::got(found)))
    }

    async fn retry_delivery(
        &self,
        request: Request<pb::RetryDeliveryRequest>,
    ) -> Result<Response<pb::RetryDeliveryResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("delivery_id", &request.into_inner().delivery_id)?;
        let retried = self.app.retry_delivery(&call.caller.org, runtime::origin(&call), id).await;
        let delivery = Some(retried.map_err(Fault::from)?.into());
        Ok(Response::new(pb::RetryDeliveryResponse { delivery }))
    }

    async fn retry_deliveries(
        &self,
        request: Request<pb::RetryDeliveriesRequest>,
    ) -> Result<Response<pb::RetryDeliveriesResponse>, Status> {
        let call = rpc::call(&request)?;
        let filter = wire::retried(request.into_inner())?;
        let (org, origin) = (&call.caller.org, runtime::origin(&call));
        let retried = self.app.retry_deliveries(org, origin, filter).await.map_err(Fault::from)?;
        Ok(Response::new(retried.into()))
    }
}
