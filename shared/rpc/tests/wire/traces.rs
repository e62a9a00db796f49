//! One trace across every hop (P9).

use std::time::Duration;

use kernel::{OrgId, Role, Subject};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use rpc::{Limits, Peer, ServiceTokens, Switchboard};
use tonic::body::Body;
use tower::Service;
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{request, toy};

const WHO: &str = "/toy.v1.Toy/WhoAmI";

#[tokio::test]
async fn a_trace_goes_from_the_caller_through_the_stack_and_on_to_the_peer() {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let subscriber = tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
    let _guard = tracing::subscriber::set_default(subscriber);

    let toy = toy(Limits::default());
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let bearer = format!("Bearer {}", toy.token("ana", Role::Agent));
    let call = request(WHO).header("authorization", bearer);
    let call = call.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    let answer = toy.send(call.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.headers()["trace"], trace, "the stack goes on with the caller's trace");

    let board = Switchboard::new();
    board.connect(&toy.stack);
    let service = Subject::parse("notes").unwrap();
    let peer = Peer::local(board, ServiceTokens::new(toy.signer.clone(), service, toy.clock.clone()));
    let mut peer = peer.as_service(&OrgId::parse("acme").unwrap(), Duration::from_secs(1));
    let span = tracing::info_span!("here");
    let here = span.context().span().span_context().trace_id().to_string();
    let ask = async { peer.call(request(WHO).body(Body::empty()).unwrap()).await.unwrap() };
    let answer = ask.instrument(span).await;
    assert_eq!(answer.headers()["trace"], here.as_str(), "the peer goes on with our trace");
    let parent = answer.headers()["traceparent"].to_str().unwrap();
    assert!(parent.contains(&here), "{parent}");
}
