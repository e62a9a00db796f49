//! What notifications says of emails.

use proto::notifications::v1::email_service_server::EmailService;
use proto::notifications::v1::{
    EmailContent, GetEmailContentRequest, GetEmailContentResponse, UnsubscribeRequest, UnsubscribeResponse,
};
use tonic::{Request, Response, Status};

use super::Peers;

#[tonic::async_trait]
impl EmailService for Peers {
    async fn unsubscribe(
        &self,
        _: Request<UnsubscribeRequest>,
    ) -> Result<Response<UnsubscribeResponse>, Status> {
        Err(Status::unimplemented("not played by this stand-in"))
    }

    async fn get_email_content(
        &self,
        request: Request<GetEmailContentRequest>,
    ) -> Result<Response<GetEmailContentResponse>, Status> {
        self.answer("GetEmailContent", &request, |state| state.notifications).await?;
        let wants = self.0.lock().unwrap().wants_excerpts;
        let email_content = if wants { EmailContent::Excerpt } else { EmailContent::None }.into();
        Ok(Response::new(GetEmailContentResponse { email_content }))
    }
}
