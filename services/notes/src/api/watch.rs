//! `backchannel.notes.v1.NoteWatchService`.

use proto::notes::v1 as pb;
use proto::notes::v1::note_watch_service_server::NoteWatchService;
use rpc::stream::Live;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::watch as wire;

#[tonic::async_trait]
impl NoteWatchService for Api {
    type WatchNotesStream = Live<pb::WatchNotesResponse>;

    async fn watch_notes(
        &self,
        request: Request<pb::WatchNotesRequest>,
    ) -> Result<Response<Live<pb::WatchNotesResponse>>, Status> {
        let call = rpc::call(&request)?;
        let (target, start) = wire::watch(request.into_inner())?;
        Ok(Response::new(self.0.watch_notes(&call, target, start).await?))
    }
}
