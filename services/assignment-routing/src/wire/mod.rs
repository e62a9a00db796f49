//! Between the contract's types and the domain's. What cannot be a domain value is INVALID_ARGUMENT here; the rules of
//! the contract itself were checked by the codec.

pub mod agent;
pub mod conversation;
pub mod decision;
pub mod event;
pub mod inbox;
pub mod mask;
pub mod message;
pub mod team;
pub mod workflow;

use db::Retry;
use kernel::Timestamp;
use prost::Message;
use rpc::{Call, Fault};

/// What makes a retry of this request recognizable.
///
/// # Errors
/// INVALID_FIELD for a request id that is no UUID.
pub fn retry<M: Message>(call: &Call, request_id: &str, message: &M) -> Result<Retry, Fault> {
    let key = call.retry(request_id, message)?;
    Ok(Retry { caller: key.caller, method: key.method, request_id: key.request_id, digest: key.digest })
}

fn time(time: Timestamp) -> Option<prost_types::Timestamp> {
    Some(rpc::convert::proto_time(time))
}

fn maybe_time(time: Option<Timestamp>) -> Option<prost_types::Timestamp> {
    time.map(rpc::convert::proto_time)
}

fn narrow(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
