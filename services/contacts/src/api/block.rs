//! `backchannel.contacts.v1.BlockService`.

use proto::contacts::v1 as pb;
use proto::contacts::v1::block_service_server::BlockService;
use rpc::Fault;
use tonic::{Request, Response, Status};

use super::Api;
use crate::wire::{block as wire, contact};

#[tonic::async_trait]
impl BlockService for Api {
    async fn block_contact(
        &self,
        request: Request<pb::BlockContactRequest>,
    ) -> Result<Response<pb::BlockContactResponse>, Status> {
        let call = rpc::call(&request)?;
        let block = wire::block(&call, request.get_ref())?;
        let blocked = self.app.set_block(&call.caller.org, runtime::origin(&call), block).await;
        let contact = Some(contact::contact(blocked.map_err(Fault::from)?));
        Ok(Response::new(pb::BlockContactResponse { contact }))
    }

    async fn unblock_contact(
        &self,
        request: Request<pb::UnblockContactRequest>,
    ) -> Result<Response<pb::UnblockContactResponse>, Status> {
        let call = rpc::call(&request)?;
        let unblock = wire::unblock(&call, request.get_ref())?;
        let unblocked = self.app.set_block(&call.caller.org, runtime::origin(&call), unblock).await;
        let contact = Some(contact::contact(unblocked.map_err(Fault::from)?));
        Ok(Response::new(pb::UnblockContactResponse { contact }))
    }
}
