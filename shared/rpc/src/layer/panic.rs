use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use kernel::Clock;

use super::{Handle, Inbound, Response, refuse};
use crate::Fault;
use crate::body::Caught;

/// Directly under the trace, because a panic in any layer or handler must end one call and not the connection on which
/// hundreds of others run. The panic's text may hold content, so it is not logged: the process's hook names the place.
pub(crate) struct CatchPanic<N> {
    pub(crate) next: N,
}

impl<N: Handle> Handle for CatchPanic<N> {
    async fn handle(&self, inbound: Inbound) -> Response {
        let streams = inbound.target.streams();
        // What a panic may have left half done belongs to this call alone and is dropped with it.
        match AssertUnwindSafe(self.next.handle(inbound)).catch_unwind().await {
            Ok(response) if streams => response.map(|body| Caught::over(body, panicked)),
            Ok(response) => response,
            Err(_) => refuse(panicked()),
        }
    }
}

fn panicked() -> Fault {
    let error_id = Clock::system().new_id();
    tracing::error!(%error_id, "a handler panicked");
    Fault::masked(error_id)
}
