//! `backchannel.notifications.v1.EmailService`.

use proto::notifications::v1 as pb;
use proto::notifications::v1::email_service_server::EmailService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::settings;

#[tonic::async_trait]
impl EmailService for Api {
    async fn unsubscribe(
        &self,
        request: Request<pb::UnsubscribeRequest>,
    ) -> Result<Response<pb::UnsubscribeResponse>, Status> {
        // Public: there is no caller to ask for.
        self.app.unsubscribe(&request.into_inner().token).await.map_err(Fault::from)?;
        Ok(Response::new(pb::UnsubscribeResponse {}))
    }

    async fn get_email_content(
        &self,
        request: Request<pb::GetEmailContentRequest>,
    ) -> Result<Response<pb::GetEmailContentResponse>, Status> {
        let call = rpc::call(&request)?;
        let content = self.app.email_content(&call.caller.org).await.map_err(Fault::from)?;
        let email_content = settings::email_content(content).into();
        Ok(Response::new(pb::GetEmailContentResponse { email_content }))
    }
}
