//! `BulkService`.

use proto::routing::v1 as pb;
use proto::routing::v1::bulk_service_server::BulkService;
use rpc::Fault;
use rpc::convert::time_of;
use tonic::{Request, Response, Status};

use super::{Api, given};
use crate::app::effects::Item;
use crate::wire::bulk as wire;

#[tonic::async_trait]
impl BulkService for Api {
    async fn batch_assign_conversations(
        &self,
        request: Request<pb::BatchAssignConversationsRequest>,
    ) -> Result<Response<pb::BatchAssignConversationsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let items = wire::items(it.items.iter().map(|item| (&*item.conversation_id, &*item.etag)))?;
        let handover = wire::handover(it.target.as_ref(), it.handoff)?;
        let done = self.0.assign_all(&call.caller, runtime::origin(&call), retry, items, handover).await;
        let (applied, results) = wire::batched(done.map_err(Fault::from)?);
        Ok(Response::new(pb::BatchAssignConversationsResponse { applied, results }))
    }

    async fn batch_resolve_conversations(
        &self,
        request: Request<pb::BatchResolveConversationsRequest>,
    ) -> Result<Response<pb::BatchResolveConversationsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let items = named(&it.items)?;
        let done = self.0.resolve_all(&call.caller, runtime::origin(&call), retry, items).await;
        let (applied, results) = wire::batched(done.map_err(Fault::from)?);
        Ok(Response::new(pb::BatchResolveConversationsResponse { applied, results }))
    }

    async fn batch_tag_conversations(
        &self,
        request: Request<pb::BatchTagConversationsRequest>,
    ) -> Result<Response<pb::BatchTagConversationsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let (change, items) = (wire::tags(&it.add_tags, &it.remove_tags)?, named(&it.items)?);
        let done = self.0.tag_all(&call.caller, runtime::origin(&call), retry, items, change).await;
        let (applied, results) = wire::batched(done.map_err(Fault::from)?);
        Ok(Response::new(pb::BatchTagConversationsResponse { applied, results }))
    }

    async fn batch_snooze_conversations(
        &self,
        request: Request<pb::BatchSnoozeConversationsRequest>,
    ) -> Result<Response<pb::BatchSnoozeConversationsResponse>, Status> {
        let call = rpc::call(&request)?;
        let it = request.into_inner();
        let retry = runtime::retry(&call, &it.request_id, &it)?;
        let until = given("snooze_until_time", it.snooze_until_time)?;
        let (until, items) = (time_of("snooze_until_time", &until)?, named(&it.items)?);
        let done = self.0.snooze_all(&call.caller, runtime::origin(&call), retry, items, until).await;
        let (applied, results) = wire::batched(done.map_err(Fault::from)?);
        Ok(Response::new(pb::BatchSnoozeConversationsResponse { applied, results }))
    }
}

/// The conversations of a batch.
fn named(items: &[pb::BatchItem]) -> Result<Vec<Item>, Fault> {
    wire::items(items.iter().map(|item| (&*item.conversation_id, &*item.etag)))
}
