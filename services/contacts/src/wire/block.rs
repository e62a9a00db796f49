//! Blocks.

use proto::contacts::v1 as pb;
use rpc::convert::{id_of, proto_time};
use rpc::{Call, Fault};

use super::{Broken, activity};
use crate::app::SetBlock;
use crate::domain::{Block, Line};

pub(crate) fn block(call: &Call, request: &pb::BlockContactRequest) -> Result<SetBlock, Fault> {
    let contact_id = id_of("contact_id", &request.contact_id)?;
    let mut broken = Broken::default();
    let reason = broken.read("reason", &request.reason, Line::parse);
    broken.refuse()?;
    Ok(SetBlock { contact_id, by: activity::by(&call.caller), reason: Some(reason.unwrap_or_default()) })
}

pub(crate) fn unblock(call: &Call, request: &pb::UnblockContactRequest) -> Result<SetBlock, Fault> {
    let contact_id = id_of("contact_id", &request.contact_id)?;
    Ok(SetBlock { contact_id, by: activity::by(&call.caller), reason: None })
}

pub(crate) fn said(block: Block) -> pb::ContactBlock {
    pb::ContactBlock {
        actor: Some(activity::actor(block.actor)),
        block_time: Some(proto_time(block.block_time)),
        reason: block.reason.as_str().to_owned(),
    }
}
