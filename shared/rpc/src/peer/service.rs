//! One call's way to a peer.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use kernel::OrgId;
use tokio::time::{Instant, timeout_at};
use tonic::TimeoutExpired;
use tonic::transport::Channel;
use tower::{Service, ServiceExt};
use tracing::{Instrument, Span, field};

use super::{Route, ServiceTokens};
use crate::body::Timed;
use crate::layer::{Request, Response, code_of};
use crate::{Caller, Fault, trace_context};

/// What a generated client is made with: `XClient::new(peer.on_behalf(&call))`. Never fails itself: a peer out of reach
/// is an UNAVAILABLE answer, one too slow is DEADLINE_EXCEEDED.
#[derive(Clone)]
pub struct PeerService {
    route: Route,
    authorization: Authorization,
    deadline: Instant,
}

#[derive(Clone)]
pub(super) enum Authorization {
    Caller(Arc<Caller>),
    Service(ServiceTokens, OrgId),
}

impl PeerService {
    pub(super) fn new(route: Route, authorization: Authorization, time: Duration) -> Self {
        Self { route, authorization, deadline: Instant::now() + time }
    }

    async fn ask(self, mut request: Request) -> Response {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Fault::deadline_exceeded().into_response();
        }
        let bearer = match &self.authorization {
            Authorization::Caller(caller) => Ok(Arc::clone(&caller.token)),
            Authorization::Service(tokens, org) => tokens.bearer(org),
        };
        let header = bearer.and_then(|token| {
            let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(Fault::internal)?;
            header.set_sensitive(true);
            Ok(header)
        });
        match header {
            Ok(header) => request.headers_mut().insert(AUTHORIZATION, header),
            Err(fault) => return fault.into_response(),
        };
        let streams = proto::method(request.uri().path()).is_some_and(|method| method.server_streaming);
        if !streams {
            // Of a stream only the opening is timed, by us: gateways would take the header for its whole life.
            request.headers_mut().insert("grpc-timeout", grpc_timeout(left));
        }
        trace_context::inject(&Span::current(), request.headers_mut());
        match timeout_at(self.deadline, self.route.send(request)).await {
            Ok(response) if streams => response,
            Ok(response) => response.map(|body| Timed::over(body, self.deadline, Fault::deadline_exceeded)),
            Err(_) => Fault::deadline_exceeded().into_response(),
        }
    }
}

impl Route {
    async fn send(self, request: Request) -> Response {
        match self {
            Self::Local(switchboard) => switchboard.answer(request).await,
            Self::Network(mut channel) => {
                let answer = async { Channel::call(channel.ready().await?, request).await };
                answer.await.unwrap_or_else(|error| out_of_reach(&error).into_response())
            }
        }
    }
}

/// tonic's channel has a timer of its own, from the same header; whichever fires first, the answer is the same.
fn out_of_reach(error: &tonic::transport::Error) -> Fault {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<TimeoutExpired>() {
            return Fault::deadline_exceeded();
        }
        cause = error.source();
    }
    Fault::unavailable("peer")
}

/// At most eight digits: microseconds up to a minute and a half, milliseconds beyond.
fn grpc_timeout(left: Duration) -> HeaderValue {
    const MOST: u128 = 99_999_999;
    let micros = left.as_micros().max(1);
    let text = if micros <= MOST { format!("{micros}u") } else { format!("{}m", left.as_millis().min(MOST)) };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("1S"))
}

impl Service<Request> for PeerService {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let known = proto::method(request.uri().path());
        let span = tracing::info_span!(
            "rpc.client",
            otel.kind = "client",
            rpc.system = "grpc",
            rpc.service = known.map(|method| method.service),
            rpc.method = known.map(|method| method.name),
            rpc.grpc.status_code = field::Empty,
        );
        let peer = self.clone();
        let ask = async move {
            let response = peer.ask(request).await;
            Span::current().record("rpc.grpc.status_code", code_of(&response) as i32);
            Ok(response)
        };
        Box::pin(ask.instrument(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_at_most_eight_digits() {
        for (left, text) in [
            (Duration::from_nanos(1), "1u"),
            (Duration::from_secs(5), "5000000u"),
            (Duration::from_secs(30), "30000000u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(1_000_000), "99999999m"),
        ] {
            assert_eq!(grpc_timeout(left), text);
        }
    }
}
