//! The gRPC handlers: parse, call, render.

mod admin;
mod deliveries;
mod devices;
mod email;
mod erasure;
mod preferences;
mod webhook_events;
mod webhooks;

use std::sync::Arc;

use pb::ingest_service_server::IngestService;
use pb::notification_service_server::NotificationService;
use proto::common::v1 as common;
use proto::notifications::v1 as pb;
use rpc::convert::{id_of, ids_of, time_of};
use rpc::stream::{Live, Start};
use rpc::{Fault, call};
use tonic::{Request, Response, Status, async_trait};

use crate::app::{App, Owner};
use crate::events::Batch;
use crate::wire;

/// The service as the wire sees it.
#[derive(Clone)]
pub(crate) struct Api {
    app: Arc<App>,
}

impl Api {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

/// Whose feed the call is about, and the request.
fn own<T>(request: Request<T>) -> Result<(Owner, T), Status> {
    let owner = wire::owner(&call(&request)?.caller);
    Ok((owner, request.into_inner()))
}

#[async_trait]
impl IngestService for Api {
    async fn notify(
        &self,
        request: Request<pb::NotifyRequest>,
    ) -> Result<Response<pb::NotifyResponse>, Status> {
        let call = call(&request)?;
        let mut batch = Batch::read(request.into_inner().events);
        let told = self.app.notify(&call.caller.org, runtime::origin(&call), batch.take()).await;
        let applied = told.map_err(Fault::from)?;
        Ok(Response::new(pb::NotifyResponse { outcomes: batch.outcomes(applied) }))
    }
}

#[async_trait]
impl NotificationService for Api {
    type SubscribeStream = Live<pb::SubscribeResponse>;

    async fn list_notifications(
        &self,
        request: Request<pb::ListNotificationsRequest>,
    ) -> Result<Response<pb::ListNotificationsResponse>, Status> {
        let (owner, request) = own(request)?;
        let page = self.app.list(wire::list(owner, request)?).await.map_err(Fault::from)?;
        Ok(Response::new(page.into()))
    }

    async fn get_unread_count(
        &self,
        request: Request<pb::GetUnreadCountRequest>,
    ) -> Result<Response<pb::GetUnreadCountResponse>, Status> {
        let (owner, _) = own(request)?;
        let count = self.app.unread_count(owner).await.map_err(Fault::from)?;
        let (unread_count, latest_sequence) = (count.unread, count.sequence.number());
        Ok(Response::new(pb::GetUnreadCountResponse { unread_count, latest_sequence }))
    }

    async fn mark_notifications_read(
        &self,
        request: Request<pb::MarkNotificationsReadRequest>,
    ) -> Result<Response<pb::MarkNotificationsReadResponse>, Status> {
        let (owner, request) = own(request)?;
        let ids = ids_of("notification_ids", &request.notification_ids)?;
        let unread_count = self.app.mark_read(owner, ids).await.map_err(Fault::from)?;
        Ok(Response::new(pb::MarkNotificationsReadResponse { unread_count }))
    }

    async fn mark_all_notifications_read(
        &self,
        request: Request<pb::MarkAllNotificationsReadRequest>,
    ) -> Result<Response<pb::MarkAllNotificationsReadResponse>, Status> {
        let (owner, request) = own(request)?;
        let through = wire::through(request.up_to_sequence);
        let unread_count = self.app.mark_all_read(owner, through).await.map_err(Fault::from)?;
        Ok(Response::new(pb::MarkAllNotificationsReadResponse { unread_count }))
    }

    async fn archive_notification(
        &self,
        request: Request<pb::ArchiveNotificationRequest>,
    ) -> Result<Response<pb::ArchiveNotificationResponse>, Status> {
        let (owner, request) = own(request)?;
        let id = id_of("notification_id", &request.notification_id)?;
        let notification = self.app.archive(owner, id).await.map_err(Fault::from)?;
        Ok(Response::new(pb::ArchiveNotificationResponse { notification: Some(notification.into()) }))
    }

    async fn snooze_notification(
        &self,
        request: Request<pb::SnoozeNotificationRequest>,
    ) -> Result<Response<pb::SnoozeNotificationResponse>, Status> {
        let (owner, request) = own(request)?;
        let id = id_of("notification_id", &request.notification_id)?;
        let until = time_of("snooze_until_time", &request.snooze_until_time.unwrap_or_default())?;
        let notification = self.app.snooze(owner, id, until).await.map_err(Fault::from)?;
        Ok(Response::new(pb::SnoozeNotificationResponse { notification: Some(notification.into()) }))
    }

    async fn subscribe(
        &self,
        request: Request<pb::SubscribeRequest>,
    ) -> Result<Response<Live<pb::SubscribeResponse>>, Status> {
        let call = call(&request)?;
        let start: Option<common::StreamStart> = request.into_inner().start;
        let owner = wire::owner(&call.caller);
        Ok(Response::new(self.app.subscribe(&call, owner, Start::from(start)).await?))
    }
}
