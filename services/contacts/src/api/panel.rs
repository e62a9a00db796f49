//! `backchannel.contacts.v1.PanelService`.

use proto::contacts::v1 as pb;
use proto::contacts::v1::panel_service_server::PanelService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::panel as wire;

#[tonic::async_trait]
impl PanelService for Api {
    async fn get_contact_panel(
        &self,
        request: Request<pb::GetContactPanelRequest>,
    ) -> Result<Response<pb::GetContactPanelResponse>, Status> {
        let call = rpc::call(&request)?;
        let get = wire::get(request.get_ref())?;
        let panel = self.panels.get(&call, get).await.map_err(Fault::from)?;
        Ok(Response::new(wire::panel(panel)))
    }
}
