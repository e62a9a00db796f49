//! `backchannel.contacts.v1.SearchService`.

use proto::contacts::v1 as pb;
use proto::contacts::v1::search_service_server::SearchService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::search as wire;

#[tonic::async_trait]
impl SearchService for Api {
    async fn search_contacts(
        &self,
        request: Request<pb::SearchContactsRequest>,
    ) -> Result<Response<pb::SearchContactsResponse>, Status> {
        let call = rpc::call(&request)?;
        let search = wire::search(request.into_inner())?;
        let page = self.app.search_contacts(&call.caller.org, search).await.map_err(Fault::from)?;
        Ok(Response::new(wire::page(page)))
    }
}
