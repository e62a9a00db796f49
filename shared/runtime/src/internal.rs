//! What the internal address answers: metrics, whether the process lives, whether it wants calls, and the public keys.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use crate::key_set::PublicKeys;

/// Upper bounds of the seconds histograms: from a cached answer to the longest deadline.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0];

/// Upper bounds of the histogram of writes per commit.
const JOBS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

const UPKEEP: Duration = Duration::from_secs(5);

/// The recorder is the process's, whatever runs in it.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Whether the process wants calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readiness(Arc<AtomicBool>);

impl Readiness {
    pub(crate) fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::SeqCst);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The process's metrics, recorded from the first call on.
///
/// # Errors
/// [`BuildError`] if something else records metrics in this process.
pub(crate) fn recorder() -> Result<PrometheusHandle, BuildError> {
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let built = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_jobs".to_owned()), &JOBS)?
        .install_recorder();
    match built {
        Ok(handle) => Ok(RECORDER.get_or_init(|| handle).clone()),
        // Somebody was faster: two tests that start at once.
        Err(error) => RECORDER.get().cloned().ok_or(error),
    }
}

/// Folds recorded values together now and then, so that an unread histogram does not grow.
pub(crate) async fn keep_up(handle: PrometheusHandle, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(UPKEEP) => handle.run_upkeep(),
        }
    }
}

/// `GET /metrics`, `/healthz` (the process lives), `/readyz` (it wants calls) and `/jwks.json` (what people's tokens are verified with,
/// for the edge).
pub(crate) fn routes(handle: PrometheusHandle, ready: Readiness, keys: PublicKeys) -> Router {
    let text = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Router::new()
        .route("/metrics", get(async move || (text, handle.render())))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readiness).with_state(ready))
        .route("/jwks.json", get(public_keys).with_state(keys))
}

async fn readiness(State(ready): State<Readiness>) -> impl IntoResponse {
    if ready.get() { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}

async fn public_keys(State(keys): State<PublicKeys>) -> Response {
    match keys.read().await {
        Some(set) => ([(CONTENT_TYPE, "application/json")], set).into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "no key set\n").into_response(),
    }
}
