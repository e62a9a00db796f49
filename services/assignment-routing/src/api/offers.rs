//! `OfferService`.

use kernel::PageSize;
use proto::routing::v1 as pb;
use proto::routing::v1::offer_service_server::OfferService;
use rpc::Fault;
use rpc::convert::id_of;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire;

#[tonic::async_trait]
impl OfferService for Api {
    async fn accept_offer(
        &self,
        request: Request<pb::AcceptOfferRequest>,
    ) -> Result<Response<pb::AcceptOfferResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = id_of("offer_id", &request.get_ref().offer_id)?;
        let accepted = self.0.accept_offer(&call.caller, runtime::origin(&call), id).await;
        let conversation = Some(wire::conversation::conversation(accepted.map_err(Fault::from)?, true));
        Ok(Response::new(pb::AcceptOfferResponse { conversation }))
    }

    async fn reject_offer(
        &self,
        request: Request<pb::RejectOfferRequest>,
    ) -> Result<Response<pb::RejectOfferResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let id = id_of("offer_id", &it.offer_id)?;
        let rejected = self.0.reject_offer(&call.caller, runtime::origin(&call), id, it.reason).await;
        rejected.map_err(Fault::from)?;
        Ok(Response::new(pb::RejectOfferResponse {}))
    }

    async fn list_offers(
        &self,
        request: Request<pb::ListOffersRequest>,
    ) -> Result<Response<pb::ListOffersResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let size = PageSize::of(it.page_size).map_err(Fault::from)?;
        let listed = self.0.list_offers(&call.caller, size, &it.page_token).await;
        let (offers, next_page_token) = listed.map_err(Fault::from)?;
        let offers = offers.into_iter().map(wire::offer::offer).collect();
        Ok(Response::new(pb::ListOffersResponse { offers, next_page_token }))
    }
}
