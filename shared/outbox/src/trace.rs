//! The trace of the request that recorded an event goes on where the event is delivered.

use opentelemetry::Context;
use opentelemetry::global::get_text_map_propagator;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// <https://www.w3.org/TR/trace-context/#traceparent-header>
const TRACEPARENT: &str = "traceparent";

/// Where the current span is in its trace, to be stored with an event. `None` where nobody traces.
pub(crate) fn here() -> Option<String> {
    let mut stored = Stored(None);
    let context = Span::current().context();
    get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut stored));
    stored.0
}

/// The span of one delivery: a child of the first request that recorded one of its events, with links to the others.
/// A delivery has one parent only, so a request whose trace is not kept stands back for one whose trace is.
pub(crate) fn delivery<'e>(
    source: &'static str,
    target: &'static str,
    traceparents: impl ExactSizeIterator<Item = Option<&'e str>>,
) -> Span {
    let span = tracing::info_span!(
        "outbox.deliver",
        otel.kind = "producer",
        messaging.system = "outbox",
        messaging.client.id = source,
        messaging.destination.name = target,
        messaging.batch.message_count = traceparents.len(),
    );
    let mut requests = requests(traceparents);
    if !requests.is_empty() {
        let parent = requests.remove(requests.iter().position(SpanContext::is_sampled).unwrap_or(0));
        // Without a tracer there is nothing to be a child of, and nothing is lost.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
        requests.into_iter().for_each(|other| span.add_link(other));
    }
    span
}

/// Each request once, in the order of their events: one request often records several.
fn requests<'e>(traceparents: impl Iterator<Item = Option<&'e str>>) -> Vec<SpanContext> {
    let mut distinct: Vec<&str> = Vec::new();
    for traceparent in traceparents.flatten() {
        if !distinct.contains(&traceparent) {
            distinct.push(traceparent);
        }
    }
    let read = |traceparent: &str| {
        let stored = Stored(Some(traceparent.to_owned()));
        let context =
            get_text_map_propagator(|propagator| propagator.extract_with_context(&Context::new(), &stored));
        context.span().span_context().clone()
    };
    distinct.into_iter().map(read).filter(SpanContext::is_valid).collect()
}

/// A stored context, as propagators read and write one.
struct Stored(Option<String>);

impl Injector for Stored {
    fn set(&mut self, key: &str, value: String) {
        if key == TRACEPARENT {
            self.0 = Some(value);
        }
    }
}

impl Extractor for Stored {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.as_deref().filter(|_| key == TRACEPARENT)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}
