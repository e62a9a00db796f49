//! A process that serves a stand-in for the notifications service, and people who call it.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use kernel::{Clock, OrgId, Role, Subject};
use proto::common::v1::{EventDisposition, EventOutcome};
use proto::notifications::v1::ingest_service_client::IngestServiceClient;
use proto::notifications::v1::ingest_service_server::{IngestService, IngestServiceServer};
use proto::notifications::v1::{NotificationEvent, NotificationType, NotifyRequest, NotifyResponse};
use rpc::TokenSpec;
use runtime::{Config, Running, Service, StartError, Unit, Worker};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

/// Answers after `takes`; each event was applied.
pub(crate) struct Stub {
    pub(crate) takes: Duration,
}

#[tonic::async_trait]
impl IngestService for Stub {
    async fn notify(&self, request: Request<NotifyRequest>) -> Result<Response<NotifyResponse>, Status> {
        tokio::time::sleep(self.takes).await;
        let outcome = |event: NotificationEvent| EventOutcome {
            event_id: event.event_id,
            disposition: EventDisposition::Applied.into(),
            reason: String::new(),
        };
        let outcomes = request.into_inner().events.into_iter().map(outcome).collect();
        Ok(Response::new(NotifyResponse { outcomes }))
    }
}

/// A unit that serves the stub beside `routes`, with `workers`.
pub(crate) fn unit(takes: Duration, routes: Routes, workers: Vec<Worker>) -> Unit {
    Unit::new("notifications", move |_config, _deps| {
        let (routes, workers) = (routes.clone(), workers.clone());
        async move {
            let routes = routes.add_service(IngestServiceServer::new(Stub { takes }));
            let health = vec!["backchannel.notifications.v1.IngestService"];
            Ok::<_, StartError>(Service { routes, workers, health })
        }
    })
}

/// A process under test and its folder.
pub(crate) struct Process {
    pub(crate) running: Running,
    pub(crate) data: TempDir,
}

pub(crate) async fn start(units: Vec<Unit>, change: impl FnOnce(&mut Config)) -> Process {
    let data = tempfile::tempdir().unwrap();
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut config =
        Config { listen: free, metrics: free, data: data.path().to_owned(), ..Config::default() };
    change(&mut config);
    let running = runtime::start(config, Clock::system(), units).await.unwrap();
    Process { running, data }
}

impl Process {
    pub(crate) fn bearer(&self) -> MetadataValue<Ascii> {
        let org = OrgId::parse("acme").unwrap();
        let spec = TokenSpec::new(org, Subject::parse("notes").unwrap(), Role::Service);
        format!("Bearer {}", self.running.signer.mint(&spec).unwrap()).parse().unwrap()
    }

    pub(crate) fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.running.grpc)).unwrap().connect_lazy()
    }
}

pub(crate) async fn notify(channel: Channel, bearer: MetadataValue<Ascii>) -> Result<NotifyResponse, Status> {
    let event = NotificationEvent {
        event_id: Clock::system().new_id().to_string(),
        r#type: NotificationType::Mentioned.into(),
        recipient_subjects: vec!["ana".to_owned()],
        reason: "a test".to_owned(),
        occur_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
        ..NotificationEvent::default()
    };
    let mut request = Request::new(NotifyRequest { events: vec![event] });
    request.metadata_mut().insert("authorization", bearer);
    IngestServiceClient::new(channel).notify(request).await.map(Response::into_inner)
}

/// One HTTP/1.1 exchange, as text.
pub(crate) async fn http1(to: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let read: Pin<Box<dyn Future<Output = _>>> = Box::pin(stream.read_to_end(&mut answer));
    tokio::time::timeout(Duration::from_secs(10), read).await.expect("an answer").unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) async fn get(from: SocketAddr, path: &str) -> String {
    http1(from, format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").as_bytes()).await
}
