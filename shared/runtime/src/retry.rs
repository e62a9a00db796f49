//! A call's request id as the database remembers it.

use db::Retry;
use prost::Message;
use rpc::{Call, Fault};

/// What makes a retry of this call the same request (feature P5): its caller, method, request id and payload. Without a
/// request id nothing is remembered.
///
/// # Errors
/// INVALID_FIELD for a request id that is no UUID.
pub fn retry<M: Message>(call: &Call, request_id: &str, message: &M) -> Result<Retry, Fault> {
    let key = call.retry(request_id, message)?;
    Ok(Retry { caller: key.caller, method: key.method, request_id: key.request_id, digest: key.digest })
}
