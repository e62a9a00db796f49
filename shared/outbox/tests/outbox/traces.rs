//! A request's trace crosses the outbox (P9).

use std::sync::{Mutex, Once};
use std::time::Duration;

use db::both_databases;
use db::test_support::TestDb;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TracerProvider};
use opentelemetry::{Context, global};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};
use outbox::{Event, Outbox};
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::*;

static ENDED: Mutex<Vec<SpanData>> = Mutex::new(Vec::new());

/// Keeps every span that ends.
#[derive(Debug)]
struct Keep;

impl SpanProcessor for Keep {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        ENDED.lock().unwrap().push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Traces from here on. The tracer is the process's, so other tests may be traced as well; each looks for spans of its own.
fn traced() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let tracer = SdkTracerProvider::builder().with_span_processor(Keep).build().tracer("test");
        let spans = tracing_opentelemetry::layer().with_tracer(tracer);
        let subscriber = tracing_subscriber::registry().with(spans).with(LevelFilter::INFO);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// A request of its own trace that records the event. Returns where it is in its trace.
async fn request(db: &TestDb, outbox: &Outbox, event: Event) -> SpanContext {
    let span = tracing::info_span!("a request");
    record(db, outbox, vec![event]).instrument(span.clone()).await;
    span.context().span().span_context().clone()
}

async fn delivery_below(request: &SpanContext) -> SpanData {
    let find = || {
        let ended = ENDED.lock().unwrap();
        ended.iter().find(|span| span.parent_span_id == request.span_id()).cloned()
    };
    until("the delivery's span ends", || async { find().is_some() }).await;
    find().unwrap()
}

async fn stored(db: &TestDb) -> Vec<Option<String>> {
    db.read_system(|tx| {
        Box::pin(
            async move { tx.query("SELECT traceparent FROM outbox ORDER BY seq").fetch_values(tx).await },
        )
    })
    .await
    .unwrap_or_else(|error: db::DbError| panic!("{error}"))
}

both_databases!(a_delivery_goes_on_with_the_trace_of_its_request, MIGRATIONS, |db| async move {
    traced();
    let (outbox, peer) = (Outbox::new(), Consumer::willing());
    let one = request(&db, &outbox, event(&db, None)).await;
    let relay = relay(&db, &outbox, peer.clone());
    let delivery = delivery_below(&one).await;
    assert_eq!(delivery.name, "outbox.deliver");
    assert_eq!(delivery.span_context.trace_id(), one.trace_id());
    assert_eq!(peer.traces(), [one.trace_id()], "the peer is called inside the delivery's span");
    relay.drain().await;
});

both_databases!(a_batch_is_linked_to_every_request_that_recorded_for_it, MIGRATIONS, |db| async move {
    traced();
    let (outbox, peer) = (Outbox::new(), Consumer::willing());
    let nobodys = event(&db, None);
    record(&db, &outbox, vec![nobodys]).await;
    let first = request(&db, &outbox, event(&db, None)).await;
    let second = request(&db, &outbox, event(&db, None)).await;
    let span = tracing::info_span!("a request with two events");
    record(&db, &outbox, vec![event(&db, None), event(&db, None)]).instrument(span.clone()).await;
    let third = span.context().span().span_context().clone();

    let relay = relay(&db, &outbox, peer.clone());
    let delivery = delivery_below(&first).await;
    let linked: Vec<SpanId> = delivery.links.iter().map(|link| link.span_context.span_id()).collect();
    assert_eq!(linked, [second.span_id(), third.span_id()]);
    assert_eq!(peer.batches(), [5]);
    relay.drain().await;
});

both_databases!(a_trace_that_is_kept_is_not_cut_off_by_one_that_is_not, MIGRATIONS, |db| async move {
    traced();
    let (outbox, peer) = (Outbox::new(), Consumer::willing());
    let unkept = tracing::info_span!("a request whose caller keeps no trace");
    let headers = std::collections::HashMap::from([(
        "traceparent".to_owned(),
        format!("00-{}-b7ad6b7169203331-00", db.clock.new_id().simple()),
    )]);
    unkept.set_parent(global::get_text_map_propagator(|reader| reader.extract(&headers))).unwrap();
    record(&db, &outbox, vec![event(&db, None)]).instrument(unkept).await;
    assert!(stored(&db).await[0].as_ref().is_some_and(|traceparent| traceparent.ends_with("-00")));
    let kept = request(&db, &outbox, event(&db, None)).await;
    let relay = relay(&db, &outbox, peer.clone());
    assert_eq!(delivery_below(&kept).await.span_context.trace_id(), kept.trace_id());
    relay.drain().await;
});

both_databases!(nothing_is_stored_where_nobody_traces, MIGRATIONS, |db| async move {
    traced();
    let outbox = Outbox::new();
    record(&db, &outbox, vec![event(&db, None)]).await;
    assert_eq!(stored(&db).await, [None]);
});
