//! Traces leave the process, by gRPC, to whoever is configured. Alone in its file: telemetry is the process's.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use runtime::{Connections, ServeStop, Telemetry, TelemetryConfig};
use tokio::net::TcpListener;
use tokio::sync::Notify;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

// P9
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_span_reaches_the_configured_collector() {
    let exported = Arc::new(Notify::new());
    let told = Arc::clone(&exported);
    let collector = Router::new().route(
        EXPORT,
        post(move || async move {
            told.notify_one();
            // An empty answer, its status among the headers: all a collector has to say.
            ([("content-type", "application/grpc"), ("grpc-status", "0")], [0_u8; 0])
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        runtime::serve(listener, collector, &Connections::default(), ServeStop::default()).await
    });

    let config = TelemetryConfig { otlp: Some(format!("http://{address}")), ..TelemetryConfig::default() };
    let telemetry = Telemetry::start("tested", &config).unwrap();
    tracing::info_span!("a call").in_scope(|| tracing::debug!("at work"));
    tokio::task::spawn_blocking(move || telemetry.flush()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), exported.notified()).await.expect("a span arrives");
}
