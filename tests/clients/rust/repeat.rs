//! What other languages are told by a service config: deadlines, and which calls are repeated while nobody answers.

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderValue;
use http_body_util::{BodyExt, Full};
use proto::{Idempotency, Method};
use tonic::body::Body;
use tonic::transport::{Channel, Error};
use tonic::{Code, Status};
use tower::{Service, ServiceExt};

type Request = http::Request<Body>;
type Response = http::Response<Body>;

/// How long a call may take that is not a stream: ten seconds.
const DEADLINE: &str = "10S";

const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A channel which repeats the calls that the contract calls safe to repeat.
#[derive(Clone)]
pub(crate) struct Repeat(Channel);

impl Repeat {
    /// Over a channel.
    pub(crate) fn over(channel: Channel) -> Self {
        Self(channel)
    }

    async fn unary(self, request: Request, method: &Method) -> Result<Response, Error> {
        let (mut head, body) = request.into_parts();
        head.headers.insert("grpc-timeout", HeaderValue::from_static(DEADLINE));
        // The body of a unary call is one message, which is there already.
        let message = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let safe = method.idempotency != Idempotency::ByRequestId;
        let mut attempt = 1;
        loop {
            let answer = self.once(head.clone(), message.clone()).await;
            if !safe || attempt == ATTEMPTS || !nobody_answered(&answer) {
                return answer;
            }
            tokio::time::sleep(FIRST_PAUSE * 3u32.pow(attempt - 1)).await;
            attempt += 1;
        }
    }

    async fn once(&self, head: http::request::Parts, message: Bytes) -> Result<Response, Error> {
        let request = Request::from_parts(head, Body::new(Full::new(message)));
        self.0.clone().oneshot(request).await
    }
}

/// Whether the call reached nobody who could have done it. A refusal without an answer has its status among the headers.
fn nobody_answered(answer: &Result<Response, Error>) -> bool {
    match answer {
        Ok(answer) => {
            Status::from_header_map(answer.headers()).is_some_and(|status| status.code() == Code::Unavailable)
        }
        Err(_) => true,
    }
}

impl Service<Request> for Repeat {
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let repeat = self.clone();
        match proto::method(request.uri().path()) {
            Some(method) if !method.client_streaming && !method.server_streaming => {
                Box::pin(repeat.unary(request, method))
            }
            // Streams have no deadline, and begin again by themselves.
            _ => Box::pin(repeat.0.oneshot(request)),
        }
    }
}
