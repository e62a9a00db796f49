//! A call as the audit trail remembers it.

use audit::Origin;
use opentelemetry::trace::TraceContextExt;
use rpc::Call;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Where the effects of this call come from: its caller, its method, and its trace if it is traced. A call with a request id
/// adds it with [`Origin::of_request`].
#[must_use]
pub fn origin(call: &Call) -> Origin {
    let context = Span::current().context();
    let span = context.span();
    let trace_id = span.span_context().is_valid().then(|| span.span_context().trace_id().to_string());
    let caller = &call.caller;
    Origin::new(&caller.subject, caller.role, call.method.path).traced(trace_id)
}
