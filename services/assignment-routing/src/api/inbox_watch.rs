//! `InboxWatchService`.

use proto::routing::v1 as pb;
use proto::routing::v1::inbox_watch_service_server::InboxWatchService;
use rpc::stream::Live;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire;

#[tonic::async_trait]
impl InboxWatchService for Api {
    type WatchInboxStream = Live<pb::WatchInboxResponse>;

    async fn watch_inbox(
        &self,
        request: Request<pb::WatchInboxRequest>,
    ) -> Result<Response<Live<pb::WatchInboxResponse>>, Status> {
        let call = rpc::call(&request)?;
        let (views, start) = wire::inbox_watch::watch(request.into_inner());
        Ok(Response::new(self.0.watch_inbox(&call, views, start).await?))
    }
}
