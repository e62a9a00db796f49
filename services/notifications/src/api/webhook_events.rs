//! `backchannel.notifications.v1.WebhookEventService`.

use proto::notifications::v1 as pb;
use proto::notifications::v1::webhook_event_service_server::WebhookEventService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::events::Batch;
use crate::wire::webhook_events;

#[tonic::async_trait]
impl WebhookEventService for Api {
    async fn publish_webhook_events(
        &self,
        request: Request<pb::PublishWebhookEventsRequest>,
    ) -> Result<Response<pb::PublishWebhookEventsResponse>, Status> {
        let call = rpc::call(&request)?;
        let sent = request.into_inner().events.into_iter().map(|it| (it.event_id.clone(), it));
        let mut batch = Batch::of(sent, webhook_events::event);
        let told = self.app.publish(&call.caller.org, runtime::origin(&call), batch.take()).await;
        let outcomes = batch.outcomes(told.map_err(Fault::from)?);
        Ok(Response::new(pb::PublishWebhookEventsResponse { outcomes }))
    }

    async fn get_webhook_interest(
        &self,
        request: Request<pb::GetWebhookInterestRequest>,
    ) -> Result<Response<pb::GetWebhookInterestResponse>, Status> {
        let call = rpc::call(&request)?;
        let interest = self.app.webhook_interest(&call.caller.org).await.map_err(Fault::from)?;
        Ok(Response::new(interest.into()))
    }
}
