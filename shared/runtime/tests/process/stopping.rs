//! The orderly end. Row 15 of the faults that must not break it.
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::*;
use axum::routing::post;
use http_body_util::StreamBody;
use proto::notifications::v1::{SubscribeRequest, SubscribeResponse};
use runtime::{ServeStop, Service, StartError, Unit, Worker};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const SUBSCRIBE: &str = "/backchannel.notifications.v1.NotificationService/Subscribe";

type Frames = Result<http_body::Frame<bytes::Bytes>, Infallible>;

/// A gRPC stream of empty messages, opened with one; ends after another once `end` is cancelled.
fn streaming(end: CancellationToken) -> Routes {
    let open = move || {
        let end = end.clone();
        async move {
            let message = || Ok(http_body::Frame::data(bytes::Bytes::from_static(&[0; 5])));
            let (frames, body) = mpsc::channel::<Frames>(4);
            tokio::spawn(async move {
                let _gone = frames.send(message()).await;
                end.cancelled().await;
                let _gone = frames.send(message()).await;
                let status = http::HeaderMap::from_iter([(
                    http::HeaderName::from_static("grpc-status"),
                    http::HeaderValue::from_static("0"),
                )]);
                let _gone = frames.send(Ok(http_body::Frame::trailers(status))).await;
            });
            let body = axum::body::Body::new(StreamBody::new(ReceiverStream::new(body)));
            http::Response::builder().header("content-type", "application/grpc").body(body).unwrap()
        }
    };
    axum::Router::new().route(SUBSCRIBE, post(open)).into()
}

async fn subscribe(process: &Process) -> tonic::Streaming<SubscribeResponse> {
    let mut client = tonic::client::Grpc::new(process.channel());
    client.ready().await.unwrap();
    let mut request = Request::new(SubscribeRequest::default());
    let spec = rpc::TokenSpec::new(
        kernel::OrgId::parse("acme").unwrap(),
        kernel::Subject::parse("ana").unwrap(),
        kernel::Role::Agent,
    );
    let bearer = format!("Bearer {}", process.running.signer.mint(&spec).unwrap());
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    let codec = tonic_prost::ProstCodec::<SubscribeRequest, SubscribeResponse>::default();
    client.server_streaming(request, SUBSCRIBE.parse().unwrap(), codec).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_call_at_work_is_finished_and_newcomers_are_refused() {
    let process = start(vec![unit(Duration::from_secs(1), Routes::default(), vec![])], |_| ()).await;
    let (address, late) = (process.running.grpc, process.channel());
    let call = tokio::spawn(notify(process.channel(), process.bearer()));
    let bearer = process.bearer();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    let stopping = tokio::spawn(process.running.stop());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(address).await.is_err(), "still listening");
    assert_eq!(notify(late, bearer).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(call.await.unwrap().unwrap().outcomes.len(), 1);
    assert!(stopping.await.unwrap(), "something was cut off");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn open_streams_end_themselves_with_their_last_message() {
    let unit = Unit::new("notifications", |_config, deps| async move {
        let (routes, workers, health) = (streaming(deps.streams_end.clone()), vec![], vec![]);
        Ok::<_, StartError>(Service { routes, workers, health })
    });
    let process = start(vec![unit], |_| ()).await;
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = subscribe(&process).await;
        assert!(stream.message().await.unwrap().is_some(), "opened");
        streams.push(stream);
    }
    let begun = Instant::now();
    assert!(process.running.stop().await, "something was cut off");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    for mut stream in streams {
        assert!(stream.message().await.unwrap().is_some(), "the last message");
        assert!(stream.message().await.unwrap().is_none(), "a clean end");
    }
}

// P9
#[tokio::test]
async fn an_open_health_watch_is_told_the_end_and_does_not_hold_it_up() {
    let process = start(vec![unit(Duration::ZERO, Routes::default(), vec![])], |_| ()).await;
    let mut watches = Vec::new();
    for service in ["", "backchannel.notifications.v1.IngestService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let mut watch = HealthClient::new(process.channel()).watch(request).await.unwrap().into_inner();
        assert_eq!(watch.message().await.unwrap().unwrap().status, 1, "SERVING");
        watches.push(watch);
    }
    let insisting = tokio::spawn(watch_again_and_again(HealthClient::new(process.channel())));
    let begun = Instant::now();
    assert!(process.running.stop().await, "something was cut off");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    for mut watch in watches {
        assert_eq!(watch.message().await.unwrap().unwrap().status, 2, "NOT_SERVING");
        assert!(watch.message().await.unwrap().is_none(), "a clean end");
    }
    insisting.await.unwrap();
}

/// As balancers do: watches again as soon as a watch ends, until it is refused or the connection is closed.
async fn watch_again_and_again(mut health: HealthClient<Channel>) {
    while let Ok(opened) = health.watch(HealthCheckRequest::default()).await {
        let mut watch = opened.into_inner();
        while let Ok(Some(_)) = watch.message().await {}
    }
}

#[tokio::test]
async fn a_stream_that_will_not_end_is_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = ServeStop::default();
    let (app, asked) = (streaming(CancellationToken::new()), stop.clone());
    let served =
        tokio::spawn(
            async move { runtime::serve(listener, app, &runtime::Connections::default(), asked).await },
        );
    let channel =
        tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<SubscribeRequest, SubscribeResponse>::default();
    let request = Request::new(SubscribeRequest::default());
    let stream = client.server_streaming(request, SUBSCRIBE.parse().unwrap(), codec).await.unwrap();
    let mut stream = stream.into_inner();
    assert!(stream.message().await.unwrap().is_some(), "opened");
    stop.finish.cancel();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!served.is_finished(), "GOAWAY lets open streams go on");
    stop.cut.cancel();
    tokio::time::timeout(Duration::from_secs(2), served).await.expect("cut").unwrap();
    assert!(stream.message().await.is_err());
}

#[tokio::test]
async fn workers_stop_before_calls_and_the_probe_says_so_at_once() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&order);
    let worker = Worker::new("noting", move |stop| {
        let noted = Arc::clone(&noted);
        async move {
            stop.cancelled().await;
            noted.lock().await.push("worker");
        }
    });
    let process = start(vec![unit(Duration::from_secs(1), Routes::default(), vec![worker])], |config| {
        config.shutdown.balancer_wait_ms = 300;
    })
    .await;
    let (internal, noted) = (process.running.metrics, Arc::clone(&order));
    let (channel, bearer) = (process.channel(), process.bearer());
    let call = tokio::spawn(async move {
        notify(channel, bearer).await.unwrap();
        noted.lock().await.push("call");
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let stopping = tokio::spawn(process.running.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(get(internal, "/readyz").await.starts_with("HTTP/1.1 503"), "the balancer is told first");
    assert!(get(internal, "/healthz").await.starts_with("HTTP/1.1 200"), "it still lives");
    assert!(stopping.await.unwrap());
    call.await.unwrap();
    assert_eq!(*order.lock().await, ["worker", "call"]);
}

// Row 15, ten restarts of two replicas
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_under_load_fails_no_call_that_is_retried() {
    const RESTARTS: usize = 10;
    const EVERY: Duration = Duration::from_millis(5);
    let unit = || unit(Duration::from_millis(20), Routes::default(), vec![]);
    let first = start(vec![unit()], |_| ()).await;
    // One data folder, so that both replicas know one key.
    let folder = first.data.path().to_owned();
    let second = start(vec![unit()], |config| config.data.clone_from(&folder)).await;
    let bearer = first.bearer();
    let addresses = [first.running.grpc, second.running.grpc];
    let channels = [first.channel(), second.channel()];
    let (done, failed, retried) =
        (CancellationToken::new(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let load = tokio::spawn({
        let (done, failed, retried) = (done.clone(), Arc::clone(&failed), Arc::clone(&retried));
        async move {
            let mut calls = tokio::task::JoinSet::new();
            let mut turn = 0;
            while !done.is_cancelled() {
                turn += 1;
                let (channels, bearer) = (channels.clone(), bearer.clone());
                let (failed, retried) = (Arc::clone(&failed), Arc::clone(&retried));
                calls.spawn(async move {
                    // As a client behind a balancer does: up to two retries, on the other replica first.
                    for attempt in 0..3 {
                        let channel = channels[(turn + attempt) % 2].clone();
                        match notify(channel, bearer.clone()).await {
                            Ok(_) => return,
                            Err(_) if attempt < 2 => _ = retried.fetch_add(1, Ordering::SeqCst),
                            Err(_) => _ = failed.fetch_add(1, Ordering::SeqCst),
                        }
                    }
                });
                tokio::time::sleep(EVERY).await;
            }
            let calls_made = calls.len();
            calls.join_all().await;
            calls_made
        }
    });
    let mut replicas = [Some(first.running), Some(second.running)];
    let mut longest = Duration::ZERO;
    for restart in 0..RESTARTS {
        let which = restart % 2;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let begun = Instant::now();
        assert!(replicas[which].take().unwrap().stop().await, "something was cut off");
        longest = longest.max(begun.elapsed());
        let config = runtime::Config {
            listen: addresses[which],
            metrics: ([127, 0, 0, 1], 0).into(),
            data: folder.clone(),
            ..runtime::Config::default()
        };
        replicas[which] = Some(runtime::start(config, kernel::Clock::system(), vec![unit()]).await.unwrap());
    }
    done.cancel();
    let calls = load.await.unwrap();
    println!("{calls} calls, {} retries, longest stop {longest:?}", retried.load(Ordering::SeqCst));
    assert_eq!(failed.load(Ordering::SeqCst), 0);
    assert!(longest < Duration::from_secs(25));
}
