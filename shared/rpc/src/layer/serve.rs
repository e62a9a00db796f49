use std::time::Duration;

use kernel::Clock;
use tokio::time::Instant;
use tonic::service::Routes;
use tower::Service;

use super::{Handle, Inbound, Response, Target};
use crate::{Call, Limits};

/// Last, because only now everything about the call is known and may be handed to its handler, as one value that
/// exists only for calls which passed all layers. The rules of the request's fields are checked in the codec below.
pub(crate) struct Serve {
    routes: Routes,
    clock: Clock,
    question: Duration,
}

impl Serve {
    pub(crate) fn new(routes: Routes, clock: Clock, limits: &Limits) -> Self {
        Self { routes, clock, question: limits.default_deadline() }
    }
}

impl Handle for Serve {
    async fn handle(&self, inbound: Inbound) -> Response {
        let Inbound { mut request, target, deadline, caller } = inbound;
        if let (Target::Rpc(method), Some(caller)) = (target, caller) {
            let token_ends = Instant::now() + caller.expires.since(self.clock.now());
            request.extensions_mut().insert(Call {
                caller,
                method,
                deadline,
                token_ends,
                question: self.question,
            });
        }
        let mut routes = self.routes.clone();
        match routes.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
