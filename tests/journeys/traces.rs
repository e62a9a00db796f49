//! One request is one trace, across processes and across the outbox, and nothing in it says what was written.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use prost::Message;
use proto::notes::v1 as notes;
use proto::routing::v1 as pb;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::cast::{Ear, assigned, customer_writes, eventually, message, route, team};
use crate::world::World;

/// In everything that is written here, and nowhere else.
const CANARY: &str = "canary-31c9ae";

/// The trace in which the client writes the note, and the client's own span in it.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CLIENT: &str = "b7ad6b7169203331";

/// Keeps every trace it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A span, and whose it is.
struct Told {
    service: String,
    span: Span,
}

impl Collector {
    /// Collects on a port of its own; returns its address too.
    fn start() -> (Self, String) {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).expect("a free port");
        let address = format!("http://{}", incoming.local_addr().unwrap());
        let collector = Self::default();
        let server = Server::builder().add_service(TraceServiceServer::new(collector.clone()));
        tokio::spawn(server.serve_with_incoming(incoming));
        (collector, address)
    }

    /// The spans of [`TRACE`].
    fn trace(&self) -> Vec<Told> {
        let requests = self.0.lock().unwrap();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        let told = resources.flat_map(|of| {
            let service = text(&of.resource.as_ref().unwrap().attributes, "service.name").unwrap_or_default();
            let spans = of.scope_spans.iter().flat_map(|scope| scope.spans.clone());
            spans.map(move |span| Told { service: service.clone(), span })
        });
        told.filter(|told| hex(&told.span.trace_id) == TRACE).collect()
    }

    /// Everything as it was on the wire, where any text can be found.
    fn wire(&self) -> String {
        let requests = self.0.lock().unwrap();
        requests
            .iter()
            .map(|request| String::from_utf8_lossy(&request.encode_to_vec()).into_owned())
            .collect()
    }
}

impl Told {
    fn serves(&self, method: &str) -> bool {
        self.span.kind() == SpanKind::Server
            && text(&self.span.attributes, "rpc.method").as_deref() == Some(method)
    }
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    match attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What lies between a span and the client's: `service/span` of each parent, nearest first.
fn way_up(trace: &[Told], from: &Told) -> Vec<String> {
    let (mut way, mut parent) = (Vec::new(), &from.span.parent_span_id);
    while hex(parent) != CLIENT {
        let above = trace.iter().find(|told| told.span.span_id == *parent);
        let above = above.unwrap_or_else(|| panic!("the trace is broken above {way:?}"));
        way.push(format!("{}/{}", above.service, above.span.name));
        parent = &above.span.parent_span_id;
    }
    way
}

// P9 N3
#[test]
fn a_note_is_one_trace_from_the_client_to_the_colleagues_feed() {
    testkit::run(async {
        let (collector, address) = Collector::start();
        let tracing = [("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str())];
        let world = World::four_processes_with(testkit::Engine::Sqlite, &tracing).await;
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("airline", "t-1", 0, CANARY)).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let author = team.agent(&conversation.assignee.unwrap().subject);
        let colleague = team.other_than(&author.subject);
        let mut ear = Ear::open(&colleague.api).await;

        let mut request = Request::new(notes::CreateNoteRequest {
            conversation_id: conversation.conversation_id,
            body: format!("{CANARY}: ask @{}", colleague.subject),
            ..Default::default()
        });
        request.metadata_mut().insert("traceparent", format!("00-{TRACE}-{CLIENT}-01").parse().unwrap());
        author.api.notes().create_note(request).await.unwrap();
        ear.hears().await;
        eventually("the mention arrives in routing", || async {
            let request =
                pb::ListConversationsRequest { view: pb::InboxView::Mentioned.into(), ..Default::default() };
            let page = colleague.api.conversations().list_conversations(request).await.unwrap().into_inner();
            page.entries.into_iter().next()
        })
        .await;
        drop(ear);
        // Whoever ends sends its last spans first.
        world.stop().await;

        let trace = collector.trace();
        let services: BTreeSet<&str> = trace.iter().map(|told| told.service.as_str()).collect();
        assert_eq!(services, BTreeSet::from(["contacts", "notes", "notifications", "routing"]));
        for (method, service, hops) in [
            // Asked while the client waits, with the client's own token.
            ("GetConversation", "routing", ["notes/rpc.client", "notes/rpc.server"].as_slice()),
            // Told afterwards, by the outbox.
            ("Notify", "notifications", &["notes/rpc.client", "notes/outbox.deliver", "notes/rpc.server"]),
            (
                "ApplyActivityEvents",
                "contacts",
                &["notes/rpc.client", "notes/outbox.deliver", "notes/rpc.server"],
            ),
            ("ApplyEvents", "routing", &["notes/rpc.client", "notes/outbox.deliver", "notes/rpc.server"]),
        ] {
            let served = trace.iter().find(|told| told.serves(method));
            let served = served.unwrap_or_else(|| panic!("{method} is not in the trace"));
            assert_eq!(
                (served.service.as_str(), way_up(&trace, served)),
                (service, hops.iter().map(ToString::to_string).collect()),
                "{method}"
            );
        }

        let wire = collector.wire();
        assert!(wire.contains("CreateNote") && wire.contains("RecordMessage"), "everything was collected");
        for private in [CANARY, "customer-of-t-1", "ask @"] {
            assert!(!wire.contains(private), "a span says {private}");
        }
    });
}
