//! `backchannel.notifications.v1.PreferenceService`.

use kernel::PageSize;
use pb::preference_service_server::PreferenceService;
use proto::notifications::v1 as pb;
use rpc::convert::id_of;
use rpc::{Fault, call};
use tonic::{Request, Response, Status};

use super::{Api, own};
use crate::wire::preferences as wire;

#[tonic::async_trait]
impl PreferenceService for Api {
    async fn get_preferences(
        &self,
        request: Request<pb::GetPreferencesRequest>,
    ) -> Result<Response<pb::GetPreferencesResponse>, Status> {
        let (owner, _) = own(request)?;
        let held = self.app.preferences(owner).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetPreferencesResponse { preferences: Some(held.into()) }))
    }

    async fn update_preferences(
        &self,
        request: Request<pb::UpdatePreferencesRequest>,
    ) -> Result<Response<pb::UpdatePreferencesResponse>, Status> {
        let call = call(&request)?;
        let (update, retry) = wire::change(&call, request.into_inner())?;
        let held = self.app.update_preferences(&call, retry, update).await.map_err(Fault::from)?;
        Ok(Response::new(pb::UpdatePreferencesResponse { preferences: Some(held.into()) }))
    }

    async fn get_organization_preferences(
        &self,
        request: Request<pb::GetOrganizationPreferencesRequest>,
    ) -> Result<Response<pb::GetOrganizationPreferencesResponse>, Status> {
        let call = call(&request)?;
        let chosen = self.app.defaults(&call.caller.org).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetOrganizationPreferencesResponse { preferences: Some(chosen.into()) }))
    }

    async fn update_organization_preferences(
        &self,
        request: Request<pb::UpdateOrganizationPreferencesRequest>,
    ) -> Result<Response<pb::UpdateOrganizationPreferencesResponse>, Status> {
        let call = call(&request)?;
        let (update, retry) = wire::change_defaults(&call, request.into_inner())?;
        let chosen = self.app.update_defaults(&call, retry, update).await.map_err(Fault::from)?;
        Ok(Response::new(pb::UpdateOrganizationPreferencesResponse { preferences: Some(chosen.into()) }))
    }

    async fn mute_conversation(
        &self,
        request: Request<pb::MuteConversationRequest>,
    ) -> Result<Response<pb::MuteConversationResponse>, Status> {
        let call = call(&request)?;
        let conversation = id_of("conversation_id", &request.into_inner().conversation_id)?;
        let mute = self.app.mute(&call, conversation).await.map_err(Fault::from)?;
        Ok(Response::new(pb::MuteConversationResponse { mute: Some(mute.into()) }))
    }

    async fn unmute_conversation(
        &self,
        request: Request<pb::UnmuteConversationRequest>,
    ) -> Result<Response<pb::UnmuteConversationResponse>, Status> {
        let call = call(&request)?;
        let conversation = id_of("conversation_id", &request.into_inner().conversation_id)?;
        self.app.unmute(&call, conversation).await.map_err(Fault::from)?;
        Ok(Response::new(pb::UnmuteConversationResponse {}))
    }

    async fn list_mutes(
        &self,
        request: Request<pb::ListMutesRequest>,
    ) -> Result<Response<pb::ListMutesResponse>, Status> {
        let (owner, request) = own(request)?;
        let size = PageSize::of(request.page_size).map_err(Fault::from)?;
        let page = self.app.list_mutes(owner, size, &request.page_token).await.map_err(Fault::from)?;
        Ok(Response::new(page.into()))
    }

    async fn explain_delivery(
        &self,
        request: Request<pb::ExplainDeliveryRequest>,
    ) -> Result<Response<pb::ExplainDeliveryResponse>, Status> {
        let call = call(&request)?;
        let id = id_of("notification_id", &request.into_inner().notification_id)?;
        let explanation = self.app.explain(&call.caller, id).await.map_err(Fault::from)?;
        Ok(Response::new(explanation.into()))
    }
}
