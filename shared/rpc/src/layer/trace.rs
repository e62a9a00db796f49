use std::time::Instant;

use tonic::Code;
use tracing::{Instrument, field};

use super::{Handle, Inbound, Response, Target};
use crate::trace_context;

/// Outermost, because what the other layers refuse must be seen and counted too. Never records content: of a call it
/// keeps the method, the code and the time, and of an unknown path not even the path, which anybody can write.
pub(crate) struct Trace<N> {
    pub(crate) next: N,
}

impl<N: Handle> Handle for Trace<N> {
    async fn handle(&self, inbound: Inbound) -> Response {
        let (service, method) = labels(inbound.target);
        let span = tracing::info_span!(
            "rpc.server",
            otel.kind = "server",
            rpc.system = "grpc",
            rpc.service = service,
            rpc.method = method,
            rpc.grpc.status_code = field::Empty,
        );
        trace_context::adopt(&span, inbound.request.headers());
        let running = Running::begin(service, method);
        let response = self.next.handle(inbound).instrument(span.clone()).await;
        let code = code_of(&response);
        span.record("rpc.grpc.status_code", code as i32);
        running.end(code);
        response
    }
}

fn labels(target: Target) -> (&'static str, &'static str) {
    match target {
        Target::Rpc(method) => (method.service, method.name),
        Target::Open(service) => (service, "any"),
        Target::Unknown => ("unknown", "unknown"),
    }
}

/// The code of an answer. One without is OK so far: a handler's error is in the headers, as nothing was sent yet.
pub(crate) fn code_of(response: &Response) -> Code {
    response.headers().get("grpc-status").map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()))
}

/// A call at work; a caller who leaves drops it, which counts as cancelled. Of a stream: until it has opened.
struct Running {
    service: &'static str,
    method: &'static str,
    since: Instant,
    code: Code,
}

impl Running {
    fn begin(service: &'static str, method: &'static str) -> Self {
        metrics::gauge!("rpc_server_in_flight").increment(1);
        Self { service, method, since: Instant::now(), code: Code::Cancelled }
    }

    fn end(mut self, code: Code) {
        self.code = code;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        metrics::gauge!("rpc_server_in_flight").decrement(1);
        let labels = [("service", self.service), ("method", self.method), ("code", code_name(self.code))];
        metrics::histogram!("rpc_server_duration_seconds", &labels)
            .record(self.since.elapsed().as_secs_f64());
    }
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
