//! Logs to standard error, traces to a collector if one is configured.

use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::config::{ConfigError, LogFormat, TelemetryConfig};

/// Keeps telemetry going; [`Telemetry::flush`] at the end, or the last spans are lost.
#[derive(Debug)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Starts logging and, if `telemetry.otlp` is set, exporting traces under the service name `name`. Only the first
    /// call in a process has an effect. Must be called in a tokio runtime if there is a collector.
    ///
    /// # Errors
    /// [`ConfigError`] if the filter or the collector's address cannot be read.
    pub fn start(name: &'static str, config: &TelemetryConfig) -> Result<Self, ConfigError> {
        let filter = match std::env::var("RUST_LOG") {
            Ok(filter) if !filter.is_empty() => filter,
            _ => config.filter.clone(),
        };
        let filter =
            EnvFilter::try_new(filter).map_err(|error| ConfigError::bad_value("telemetry.filter", error))?;
        let traces =
            config.otlp.as_deref().map(|endpoint| exporter(name, endpoint, config.sample)).transpose()?;
        if traces.is_some() {
            // Without it, what callers say about their trace is not read, and what we say is not sent.
            opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        }
        let spans = traces
            .as_ref()
            .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("backchannel")));
        let started = Registry::default().with(spans).with(lines(config.format)).with(filter).try_init();
        if started.is_err() {
            tracing::debug!("logging was started before");
        }
        Ok(Telemetry { traces })
    }

    /// Sends the spans that wait and ends. Blocks for at most some seconds.
    pub fn flush(self) {
        if let Some(traces) = self.traces
            && let Err(error) = traces.shutdown()
        {
            tracing::warn!(%error, "the last traces were not exported");
        }
    }
}

fn lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let terminal = std::io::stderr().is_terminal();
    let lines = fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Pretty => lines.with_ansi(terminal).with_target(false).boxed(),
        LogFormat::Auto if terminal => lines.with_ansi(true).with_target(false).boxed(),
        LogFormat::Auto | LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
        }
    }
}

fn exporter(name: &'static str, endpoint: &str, sample: f64) -> Result<SdkTracerProvider, ConfigError> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .map_err(|error| ConfigError::bad_value("telemetry.otlp", error))?;
    let resource = Resource::builder().with_service_name(name).build();
    // A caller's decision is kept, so that a trace is whole or absent.
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(sample)));
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampler)
        .with_resource(resource)
        .build())
}
