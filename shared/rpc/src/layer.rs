//! The layers around every RPC, from the outside in, and the one trait they are written with.

mod access;
mod admission;
mod authenticate;
mod deadline;
mod panic;
mod rate;
mod serve;
mod size;
mod trace;

use std::future::Future;
use std::sync::Arc;

use proto::Method;
use tokio::time::Instant;
use tonic::body::Body;

use crate::fault::reason_name;
use crate::{Caller, Fault};

pub(crate) use access::Access;
pub(crate) use admission::Admission;
pub(crate) use authenticate::Authenticate;
pub(crate) use deadline::Deadline;
pub(crate) use panic::CatchPanic;
pub(crate) use rate::Rate;
pub(crate) use serve::Serve;
pub(crate) use size::Size;
pub(crate) use trace::{Trace, code_of};

pub(crate) type Request = http::Request<Body>;
pub(crate) type Response = http::Response<Body>;

/// A call on its way in, with what the layers found out so far.
pub(crate) struct Inbound {
    pub(crate) request: Request,
    pub(crate) target: Target,
    pub(crate) deadline: Instant,
    pub(crate) caller: Option<Arc<Caller>>,
}

/// What a path leads to.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// An RPC of the contract.
    Rpc(&'static Method),
    /// A service that needs no token (health), by its name.
    Open(&'static str),
    /// Nothing we know: refused.
    Unknown,
}

impl Target {
    /// Whether it must be known who calls. A path that leads to nothing asks too: nobody learns without a token what there is.
    pub(crate) fn asks_who(self) -> bool {
        match self {
            Self::Rpc(method) => !method.public,
            Self::Open(_) => false,
            Self::Unknown => true,
        }
    }

    pub(crate) fn streams(self) -> bool {
        matches!(self, Self::Rpc(method) if method.server_streaming)
    }
}

/// A layer, and what lies under it: takes a call, gives its answer. Failure is an answer too.
pub(crate) trait Handle: Send + Sync + 'static {
    fn handle(&self, inbound: Inbound) -> impl Future<Output = Response> + Send;
}

/// Answers a call with a fault, and counts it.
pub(crate) fn refuse(fault: Fault) -> Response {
    metrics::counter!("rpc_server_refused_total", "reason" => reason_name(fault.reason())).increment(1);
    fault.into_response()
}
