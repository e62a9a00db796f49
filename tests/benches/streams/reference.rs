//! The same number of streams of a bare tonic server, in a process of its own, which says to a stream what it is told to: no database, no
//! token, nobody who decides anything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::channel::mpsc;
use proto::notifications::v1 as pb;
use proto::notifications::v1::notification_service_client::NotificationServiceClient;
use proto::notifications::v1::notification_service_server::{NotificationService, NotificationServiceServer};
use proto::notifications::v1::subscribe_response::Frame;
use rpc::stream::Live;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::MissedTickBehavior;
use tonic::transport::Channel;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Request, Response, Status};

use crate::server::{connection, ready, resident_kib};

/// The argument with which the benchmark's binary is this server.
pub(crate) const SERVE: &str = "--reference";

const TOGETHER: usize = 100;
const EVERY: Duration = Duration::from_millis(5);
const WARM_UP: usize = 600;
const MEASURED: usize = 4_000;
const PATIENCE: Duration = Duration::from_secs(60);

type Sent = Result<pb::SubscribeResponse, Status>;

/// Its streams, by the order in which they were opened.
#[derive(Clone, Default)]
struct Echo(Arc<Mutex<Vec<mpsc::UnboundedSender<Sent>>>>);

/// Serves until it is killed.
pub(crate) fn serve() {
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    threads.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("ready grpc={}", listener.local_addr().unwrap());
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let echo = NotificationServiceServer::new(Echo::default());
        Server::builder().add_service(echo).serve_with_incoming(incoming).await.unwrap();
    });
}

/// KiB a stream, and how long an echo takes at 200 a second.
pub(crate) async fn measure(streams: usize) -> (f64, Vec<Duration>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(SERVE);
    let (mut child, address) = ready(command).await;
    let process = child.id().unwrap();
    let before = resident_kib(process);
    let heard: Arc<Mutex<HashMap<i64, Instant>>> = Arc::default();
    let connections: Vec<Channel> = (0..streams.div_ceil(TOGETHER)).map(|_| connection(&address)).collect();
    for number in 0..streams {
        let mut feed = NotificationServiceClient::new(connections[number / TOGETHER].clone());
        let mut stream = feed.subscribe(pb::SubscribeRequest::default()).await.unwrap().into_inner();
        stream.message().await.unwrap().unwrap();
        let heard = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok(Some(answer)) = stream.message().await {
                if let Some(Frame::Notification(it)) = answer.frame {
                    heard.lock().unwrap().insert(it.sequence, Instant::now());
                }
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let each = (resident_kib(process) - before) / streams as f64;
    let teller = NotificationServiceClient::new(connection(&address));
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sent = Vec::new();
    for number in 0..WARM_UP + MEASURED {
        let begun = tick.tick().await.into_std();
        let (mut teller, up_to_sequence) = (teller.clone(), i64::try_from(number).unwrap());
        tokio::spawn(async move {
            let request = pb::MarkAllNotificationsReadRequest { up_to_sequence };
            teller.mark_all_notifications_read(request).await.unwrap();
        });
        sent.push((up_to_sequence, begun));
    }
    let since = Instant::now();
    while heard.lock().unwrap().len() < sent.len() {
        assert!(since.elapsed() < PATIENCE, "an echo is missing");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    child.kill().await.unwrap();
    let heard = heard.lock().unwrap();
    let took = |(number, begun): &(i64, Instant)| heard[number].saturating_duration_since(*begun);
    (each, sent.iter().skip(WARM_UP).map(took).collect())
}

fn not_played<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("only what the benchmark needs"))
}

#[tonic::async_trait]
impl NotificationService for Echo {
    type SubscribeStream = Live<pb::SubscribeResponse>;

    async fn subscribe(
        &self,
        _: Request<pb::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let (sender, receiver) = mpsc::unbounded();
        let opened = proto::common::v1::StreamOpened::default();
        let first = pb::SubscribeResponse { frame: Some(Frame::Opened(opened)), ..Default::default() };
        let _open = sender.unbounded_send(Ok(first));
        self.0.lock().unwrap().push(sender);
        Ok(Response::new(Box::pin(receiver)))
    }

    /// Says the number to one of the streams.
    async fn mark_all_notifications_read(
        &self,
        request: Request<pb::MarkAllNotificationsReadRequest>,
    ) -> Result<Response<pb::MarkAllNotificationsReadResponse>, Status> {
        let sequence = request.into_inner().up_to_sequence;
        // As long as what a mention says.
        let it = pb::Notification {
            sequence,
            notification_id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
            conversation_id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
            note_id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
            reason: "author mentioned you in a note".to_owned(),
            ..Default::default()
        };
        let resume_token = "x".repeat(120);
        let frame = pb::SubscribeResponse { resume_token, frame: Some(Frame::Notification(it)) };
        let streams = self.0.lock().unwrap();
        let place = usize::try_from(sequence).unwrap() % streams.len();
        let _gone = streams[place].unbounded_send(Ok(frame));
        Ok(Response::new(pb::MarkAllNotificationsReadResponse::default()))
    }

    async fn list_notifications(
        &self,
        _: Request<pb::ListNotificationsRequest>,
    ) -> Result<Response<pb::ListNotificationsResponse>, Status> {
        not_played()
    }

    async fn get_unread_count(
        &self,
        _: Request<pb::GetUnreadCountRequest>,
    ) -> Result<Response<pb::GetUnreadCountResponse>, Status> {
        not_played()
    }

    async fn mark_notifications_read(
        &self,
        _: Request<pb::MarkNotificationsReadRequest>,
    ) -> Result<Response<pb::MarkNotificationsReadResponse>, Status> {
        not_played()
    }

    async fn archive_notification(
        &self,
        _: Request<pb::ArchiveNotificationRequest>,
    ) -> Result<Response<pb::ArchiveNotificationResponse>, Status> {
        not_played()
    }

    async fn snooze_notification(
        &self,
        _: Request<pb::SnoozeNotificationRequest>,
    ) -> Result<Response<pb::SnoozeNotificationResponse>, Status> {
        not_played()
    }
}
