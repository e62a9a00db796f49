//! A toy contract with a toy service under the real stack.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use futures::StreamExt;
use http_body_util::StreamBody;
use kernel::{Clock, Hand, OrgId, Role, Subject, Timestamp};
use opentelemetry::trace::TraceContextExt;
use proto::common::v1::{ErrorReason, Role as Admitted};
use proto::{Idempotency, Method};
use rpc::{Call, Keys, Limits, Policy, Signer, Stack, TokenSpec, Verifier, reason_of};
use tokio::sync::Notify;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::ServiceExt;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

pub(crate) type Response = http::Response<Body>;

const fn method(
    path: &'static str,
    name: &'static str,
    roles: &'static [Admitted],
    server_streaming: bool,
) -> Method {
    Method {
        path,
        service: "toy.v1.Toy",
        name,
        roles,
        public: false,
        client_streaming: false,
        server_streaming,
        idempotency: Idempotency::NoSideEffects,
    }
}

const AGENTS: &[Admitted] = &[Admitted::Agent, Admitted::Integration, Admitted::Service];

static METHODS: &[Method] = &[
    method("/toy.v1.Toy/WhoAmI", "WhoAmI", AGENTS, false),
    method("/toy.v1.Toy/Ask", "Ask", &[Admitted::Agent, Admitted::Contact], false),
    method("/toy.v1.Toy/AdminOnly", "AdminOnly", &[Admitted::Admin], false),
    method("/toy.v1.Toy/Nobody", "Nobody", &[], false),
    method("/toy.v1.Toy/Slow", "Slow", AGENTS, false),
    method("/toy.v1.Toy/Hold", "Hold", AGENTS, false),
    method("/toy.v1.Toy/Page", "Page", AGENTS, false),
    method("/toy.v1.Toy/Panic", "Panic", AGENTS, false),
    method("/toy.v1.Toy/Watch", "Watch", AGENTS, true),
    method("/toy.v1.Toy/WatchPanic", "WatchPanic", AGENTS, true),
    Method { client_streaming: true, ..method("/toy.v1.Toy/Upload", "Upload", AGENTS, true) },
];

pub(crate) fn contract(path: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.path == path)
}

/// A stack over the toy service, with a clock moved by hand.
pub(crate) struct Toy {
    pub(crate) stack: Stack,
    pub(crate) verifier: Verifier,
    pub(crate) signer: Signer,
    pub(crate) clock: Clock,
    pub(crate) hand: Hand,
    pub(crate) release: Arc<Notify>,
}

pub(crate) fn signer(seed: u8, clock: &Clock) -> Signer {
    let pem = SigningKey::from_bytes(&[seed; 32]).to_pkcs8_pem(LineEnding::LF).unwrap();
    Signer::from_pem(&pem, clock.clone()).unwrap()
}

pub(crate) fn toy(limits: Limits) -> Toy {
    let (clock, hand) = Clock::fake(Timestamp::from_micros(1_800_000_000_000_000));
    let signer = signer(1, &clock);
    let keys = Keys::from_jwks(&signer.jwks()).unwrap();
    let verifier = Verifier::new(keys, vec!["backchannel-dev".to_owned()], "backchannel", clock.clone());
    let policy = Policy::new(verifier.clone(), clock.clone()).with_limits(limits).with_contract(contract);
    let release = Arc::new(Notify::new());
    let stack = rpc::stack(routes(&release), policy);
    Toy { stack, verifier, signer, clock, hand, release }
}

fn routes(release: &Arc<Notify>) -> Routes {
    let release = Arc::clone(release);
    let handler = move |request: axum::extract::Request| answer(request, Arc::clone(&release));
    Routes::from(Router::new().route("/toy.v1.Toy/{method}", post(handler)))
}

async fn answer(request: axum::extract::Request, release: Arc<Notify>) -> axum::response::Response {
    assert!(!request.headers().contains_key("authorization"), "no handler sees the token");
    let Some(call) = request.extensions().get::<Call>().cloned() else {
        return Status::internal("no call").into_http::<axum::body::Body>();
    };
    let trace = Span::current().context().span().span_context().trace_id().to_string();
    let traceparent = request.headers().get("traceparent").cloned();
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await;
    if let Err(error) = body {
        return Status::from_error(error.into_inner()).into_http();
    }
    match call.method.name {
        "Slow" => tokio::time::sleep(Duration::from_secs(600)).await,
        "Hold" => release.notified().await,
        "Page" => return http::Response::new(axum::body::Body::from("a page")),
        "Panic" => panic!("a secret text"),
        "Watch" => {
            let first = futures::stream::iter([Ok::<_, Infallible>(http_body::Frame::data(
                Bytes::from_static(b"x"),
            ))]);
            return http::Response::new(axum::body::Body::new(StreamBody::new(
                first.chain(futures::stream::pending()),
            )));
        }
        "WatchPanic" => {
            let broken = futures::stream::once(async { panic!("a secret text") });
            let broken = broken.map(|()| Ok::<_, Infallible>(http_body::Frame::data(Bytes::new())));
            return http::Response::new(axum::body::Body::new(StreamBody::new(Box::pin(broken))));
        }
        _ => {}
    }
    let caller = &call.caller;
    let left = call.remaining().as_millis().to_string();
    let who = [("org", caller.org.to_string()), ("subject", caller.subject.to_string()), ("left-ms", left)];
    let who = who.map(|(name, value)| (http::HeaderName::from_static(name), value));
    let mut response = ().into_response();
    response.headers_mut().insert("trace", trace.parse().unwrap());
    response
        .headers_mut()
        .extend(traceparent.map(|value| (http::HeaderName::from_static("traceparent"), value)));
    for (name, value) in who {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response.headers_mut().insert("role", caller.role.as_str().parse().unwrap());
    response
}

pub(crate) fn spec(subject: &str, role: Role) -> TokenSpec {
    TokenSpec::new(OrgId::parse("acme").unwrap(), Subject::parse(subject).unwrap(), role)
}

pub(crate) fn request(path: &str) -> http::request::Builder {
    http::Request::post(path).header("content-type", "application/grpc")
}

impl Toy {
    pub(crate) fn token(&self, subject: &str, role: Role) -> String {
        self.signer.mint(&spec(subject, role)).unwrap()
    }

    pub(crate) async fn send(&self, request: http::Request<Body>) -> Response {
        self.stack.clone().oneshot(request).await.unwrap()
    }

    /// As an agent with this name.
    pub(crate) async fn call_as(&self, subject: &str, path: &str) -> Response {
        let bearer = format!("Bearer {}", self.token(subject, Role::Agent));
        self.send(request(path).header("authorization", bearer).body(Body::empty()).unwrap()).await
    }
}

/// What a response says: its code and our reason.
pub(crate) fn verdict(response: &Response) -> (Code, Option<ErrorReason>) {
    match Status::from_header_map(response.headers()) {
        Some(status) => (status.code(), reason_of(&status)),
        None => (Code::Ok, None),
    }
}
