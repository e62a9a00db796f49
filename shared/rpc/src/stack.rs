//! The whole stack as one service.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tokio::time::Instant;
use tonic::service::Routes;
use tower::Service;

use crate::layer::{
    Access, Admission, Authenticate, CatchPanic, Deadline, Handle, Inbound, Rate, Request, Response, Serve,
    Size, Target, Trace,
};
use crate::policy::{Limits, Policy};

type Layers = Trace<CatchPanic<Deadline<Admission<Authenticate<Access<Rate<Size<Serve>>>>>>>>;

/// Services with all layers around them. Cheap to clone; clones share limits and caches.
#[derive(Clone)]
pub struct Stack(Arc<Inner>);

struct Inner {
    layers: Layers,
    routes: Routes,
    policy: Policy,
}

/// Puts the layers around the routes of one or more services, from the outside in:
///
/// 1. `trace`: span and metrics of every call, also of refused ones
/// 2. `panic`: a panic ends one call
/// 3. `deadline`: 5 s unless asked otherwise, 30 s at most
/// 4. `admission`: calls and streams per process
/// 5. `authenticate`: the bearer token
/// 6. `access`: the roles of the contract
/// 7. `rate`: calls per person and organization, calls and streams at once per person
/// 8. `size`: messages of at most [`MESSAGE_LIMIT`](crate::MESSAGE_LIMIT), which arrive within 5 s
/// 9. `serve`: hands the handler its [`Call`](crate::Call); field rules are checked in the codec
pub fn stack(routes: Routes, policy: Policy) -> Stack {
    let serve = Serve::new(routes.clone(), policy.clock.clone(), &policy.limits);
    let size = Size { most: crate::MESSAGE_LIMIT, next: serve };
    let rate = Rate::new(&policy.limits, size);
    let access = Access { next: rate };
    let authenticate = Authenticate { verifier: policy.verifier.clone(), next: access };
    let admission = Admission::new(&policy.limits, authenticate);
    let deadline = Deadline::new(&policy.limits, admission);
    let layers = Trace { next: CatchPanic { next: deadline } };
    Stack(Arc::new(Inner { layers, routes, policy }))
}

impl Stack {
    /// The same services for the other services of this process.
    ///
    /// With room of its own: if the questions inside a call competed with new calls for the same places, an overloaded
    /// process would refuse the second half of work it has already begun. And without the limits per person, which the
    /// outer call has already passed.
    #[must_use]
    pub(crate) fn for_peers(&self) -> Self {
        let Inner { routes, policy, .. } = &*self.0;
        let outer = &policy.limits;
        let limits = Limits {
            unary_in_flight: outer.unary_in_flight.saturating_mul(8),
            calls_per_person: 0,
            person_per_second: 0,
            org_per_second: 0,
            ..outer.clone()
        };
        stack(routes.clone(), policy.clone().with_limits(limits))
    }

    pub(crate) async fn answer(&self, request: Request) -> Response {
        let target = self.target(request.method(), request.uri().path());
        self.0.layers.handle(Inbound { request, target, deadline: Instant::now(), caller: None }).await
    }

    /// What is asked for. Only POST is gRPC: no gateway has to be trusted with the other methods.
    fn target(&self, method: &http::Method, path: &str) -> Target {
        if method != http::Method::POST {
            return Target::Unknown;
        }
        let policy = &self.0.policy;
        if let Some(method) = (policy.contract)(path) {
            return Target::Rpc(method);
        }
        let service =
            path.strip_prefix('/').and_then(|path| path.split_once('/')).map(|(service, _)| service);
        let open = policy.open.iter().find(|open| service == Some(**open));
        open.map_or(Target::Unknown, |open| Target::Open(open))
    }
}

impl Service<Request> for Stack {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Never a queue in front of the layers: who cannot be served is told so at once.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let stack = self.clone();
        Box::pin(async move { Ok(stack.answer(request).await) })
    }
}
