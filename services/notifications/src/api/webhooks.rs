//! `backchannel.notifications.v1.WebhookService`.

use kernel::PageSize;
use proto::notifications::v1 as pb;
use proto::notifications::v1::webhook_service_server::WebhookService;
use rpc::Fault;
use rpc::convert::expected_version;
use tonic::{Request, Response, Status};

use super::Api;
use crate::domain::webhook::Webhook;
use crate::wire::webhooks as wire;

impl Api {
    fn webhook(&self, webhook: Webhook) -> Option<pb::Webhook> {
        Some(wire::webhook(webhook, self.app.clock.now()))
    }
}

#[tonic::async_trait]
impl WebhookService for Api {
    async fn create_webhook(
        &self,
        request: Request<pb::CreateWebhookRequest>,
    ) -> Result<Response<pb::CreateWebhookResponse>, Status> {
        let call = rpc::call(&request)?;
        let (terms, retry) = wire::new_webhook(&call, request.into_inner())?;
        let webhook = self.app.create_webhook(&call, retry, terms).await.map_err(Fault::from)?;
        let secret = webhook.secrets.current.reveal();
        Ok(Response::new(pb::CreateWebhookResponse { webhook: self.webhook(webhook), secret }))
    }

    async fn get_webhook(
        &self,
        request: Request<pb::GetWebhookRequest>,
    ) -> Result<Response<pb::GetWebhookResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = wire::webhook_id(&request.get_ref().webhook_id)?;
        let webhook = self.app.get_webhook(&call, id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::GetWebhookResponse { webhook: self.webhook(webhook) }))
    }

    async fn list_webhooks(
        &self,
        request: Request<pb::ListWebhooksRequest>,
    ) -> Result<Response<pb::ListWebhooksResponse>, Status> {
        let call = rpc::call(&request)?;
        let pb::ListWebhooksRequest { page_size, page_token } = request.into_inner();
        let size = PageSize::of(page_size).map_err(Fault::from)?;
        let (found, next_page_token) =
            self.app.list_webhooks(&call, size, &page_token).await.map_err(Fault::from)?;
        let webhooks = found.into_iter().filter_map(|webhook| self.webhook(webhook)).collect();
        Ok(Response::new(pb::ListWebhooksResponse { webhooks, next_page_token }))
    }

    async fn update_webhook(
        &self,
        request: Request<pb::UpdateWebhookRequest>,
    ) -> Result<Response<pb::UpdateWebhookResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = wire::webhook_id(&request.get_ref().webhook_id)?;
        let expected = expected_version(&request.get_ref().etag);
        let (change, retry) = wire::change(&call, request.into_inner())?;
        let changed = self.app.update_webhook(&call, retry, id, change, expected).await;
        let webhook = self.webhook(changed.map_err(Fault::from)?);
        Ok(Response::new(pb::UpdateWebhookResponse { webhook }))
    }

    async fn delete_webhook(
        &self,
        request: Request<pb::DeleteWebhookRequest>,
    ) -> Result<Response<pb::DeleteWebhookResponse>, Status> {
        let call = rpc::call(&request)?;
        let request = request.into_inner();
        let retry = runtime::retry(&call, &request.request_id, &request)?;
        let (id, expected) = (wire::webhook_id(&request.webhook_id)?, expected_version(&request.etag));
        self.app.delete_webhook(&call, retry, id, expected).await.map_err(Fault::from)?;
        Ok(Response::new(pb::DeleteWebhookResponse {}))
    }

    async fn rotate_webhook_secret(
        &self,
        request: Request<pb::RotateWebhookSecretRequest>,
    ) -> Result<Response<pb::RotateWebhookSecretResponse>, Status> {
        let call = rpc::call(&request)?;
        let request = request.into_inner();
        let retry = runtime::retry(&call, &request.request_id, &request)?;
        let (id, expected) = (wire::webhook_id(&request.webhook_id)?, expected_version(&request.etag));
        let rotated = self.app.rotate_webhook_secret(&call, retry, id, expected).await;
        let webhook = rotated.map_err(Fault::from)?;
        let secret = webhook.secrets.current.reveal();
        Ok(Response::new(pb::RotateWebhookSecretResponse { webhook: self.webhook(webhook), secret }))
    }

    async fn test_webhook(
        &self,
        request: Request<pb::TestWebhookRequest>,
    ) -> Result<Response<pb::TestWebhookResponse>, Status> {
        let call = rpc::call(&request)?;
        let id = wire::webhook_id(&request.get_ref().webhook_id)?;
        let (answered, took) = self.app.test_webhook(&call, id).await.map_err(Fault::from)?;
        Ok(Response::new(wire::tested(answered, took)))
    }

    async fn replay_webhook_events(
        &self,
        request: Request<pb::ReplayWebhookEventsRequest>,
    ) -> Result<Response<pb::ReplayWebhookEventsResponse>, Status> {
        let call = rpc::call(&request)?;
        let request = request.into_inner();
        let retry = runtime::retry(&call, &request.request_id, &request)?;
        let (id, since) = (wire::webhook_id(&request.webhook_id)?, wire::since(request.since_time)?);
        let replayed = self.app.replay_webhook_events(&call, retry, id, since, &request.page_token).await;
        let (queued, next_page_token) = replayed.map_err(Fault::from)?;
        let queued_count = i32::try_from(queued).unwrap_or(i32::MAX);
        Ok(Response::new(pb::ReplayWebhookEventsResponse { queued_count, next_page_token }))
    }

    async fn get_webhook_event_types(
        &self,
        _: Request<pb::GetWebhookEventTypesRequest>,
    ) -> Result<Response<pb::GetWebhookEventTypesResponse>, Status> {
        Ok(Response::new(pb::GetWebhookEventTypesResponse { event_types: wire::kinds() }))
    }
}
