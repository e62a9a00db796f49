//! Callers who hold on to what everybody needs.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http_body_util::{BodyExt, StreamBody};
use kernel::Role;
use proto::common::v1::ErrorReason;
use rpc::{Limits, Stack};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Status};
use tower::ServiceExt;

use crate::edges::{check, port};
use crate::support::{Response, request, toy, verdict};

const WHO: &str = "/toy.v1.Toy/WhoAmI";
const WATCH_HEALTH: &str = "/grpc.health.v1.Health/Watch";

/// A body of which nothing ever comes.
fn never() -> Body {
    Body::new(StreamBody::new(futures::stream::pending::<Result<http_body::Frame<Bytes>, Infallible>>()))
}

/// A body whose only message, an empty one, comes after ten seconds.
fn slow() -> Body {
    let message = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        Ok::<_, Infallible>(http_body::Frame::data(Bytes::from_static(&[0; 5])))
    };
    Body::new(StreamBody::new(futures::stream::once(message).boxed()))
}

/// The stack behind a real socket, and a connection to it.
async fn connect(stack: Stack) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let from_axum = stack.map_request(|request: axum::extract::Request| request.map(Body::new));
    let everything = axum::Router::new().fallback_service(from_axum);
    let server = Server::builder().max_concurrent_streams(1_000).add_routes(everything.into());
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

async fn send(channel: &Channel, path: &str, token: &str, body: Body) -> Response {
    let uri = format!("http://test{path}");
    let call = request(&uri).header("authorization", format!("Bearer {token}")).header("grpc-timeout", "30S");
    channel.clone().oneshot(call.body(body).unwrap()).await.unwrap()
}

#[tokio::test]
async fn calls_without_a_body_of_one_person_leave_room_for_others_and_are_given_up() {
    const CALLS: usize = 290;
    let limits = Limits { person_per_second: 0, org_per_second: 0, ..Limits::default() };
    let at_work = limits.calls_per_person as usize;
    let toy = toy(limits);
    let channel = connect(toy.stack.clone()).await;
    let (ana, bo) = (toy.token("ana", Role::Agent), toy.token("bo", Role::Agent));
    let begun = Instant::now();
    let mut calls: FuturesUnordered<_> = (0..CALLS).map(|_| send(&channel, WHO, &ana, never())).collect();
    for _ in 0..CALLS - at_work {
        let refused = calls.next().await.unwrap();
        assert_eq!(verdict(&refused), (Code::ResourceExhausted, Some(ErrorReason::RateLimited)));
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "they are refused at once");
    assert_eq!(verdict(&send(&channel, WHO, &bo, Body::empty()).await).0, Code::Ok);
    while let Some(late) = calls.next().await {
        assert_eq!(verdict(&late), (Code::DeadlineExceeded, Some(ErrorReason::DeadlineExceeded)));
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?} of 30 s", begun.elapsed());
    assert_eq!(verdict(&send(&channel, WHO, &ana, Body::empty()).await).0, Code::Ok, "the places are free");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_keeps_its_place() {
    for limits in [
        Limits { calls_per_person: 2, ..Limits::default() },
        Limits { unary_in_flight: 2, ..Limits::default() },
    ] {
        let toy = toy(limits);
        let bearer = format!("Bearer {}", toy.token("ana", Role::Agent));
        let call =
            || request("/toy.v1.Toy/Page").header("authorization", &bearer).body(Body::empty()).unwrap();
        let mut untaken = vec![toy.send(call()).await, toy.send(call()).await];
        assert_eq!(verdict(&toy.send(call()).await).0, Code::ResourceExhausted);
        untaken.pop().unwrap().into_body().collect().await.unwrap();
        assert_eq!(verdict(&toy.send(call()).await).0, Code::Ok);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_has_five_seconds_to_arrive_and_never_more_than_its_call() {
    let toy = toy(Limits::default());
    let bearer = format!("Bearer {}", toy.token("ana", Role::Agent));
    for (asked, seconds) in [("30S", 5.0), ("2S", 2.0)] {
        let begun = Instant::now();
        let call = request(WHO).header("authorization", &bearer).header("grpc-timeout", asked);
        let answer = toy.send(call.body(never()).unwrap()).await;
        assert_eq!(verdict(&answer).0, Code::DeadlineExceeded, "{asked}");
        assert!((begun.elapsed().as_secs_f64() - seconds).abs() < 0.01, "{asked}: {:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn who_sends_a_stream_may_take_longer_between_messages() {
    let toy = toy(Limits::default());
    let bearer = format!("Bearer {}", toy.token("ana", Role::Agent));
    for (path, code) in [("/toy.v1.Toy/Upload", Code::Ok), (WHO, Code::DeadlineExceeded)] {
        let call = request(path).header("authorization", &bearer).header("grpc-timeout", "30S");
        assert_eq!(verdict(&toy.send(call.body(slow()).unwrap()).await).0, code, "{path}");
    }
}

#[tokio::test]
async fn adapters_may_have_as_many_calls_at_work_as_the_process_takes() {
    let toy = toy(Limits { calls_per_person: 2, ..Limits::default() });
    for (role, code) in [(Role::Agent, Code::ResourceExhausted), (Role::Integration, Code::Ok)] {
        let bearer = format!("Bearer {}", toy.token("both", role));
        let call = |path| request(path).header("authorization", &bearer).body(Body::empty()).unwrap();
        let held: Vec<_> =
            (0..2).map(|_| tokio::spawn(toy.stack.clone().oneshot(call("/toy.v1.Toy/Hold")))).collect();
        tokio::task::yield_now().await;
        assert_eq!(verdict(&toy.send(call(WHO)).await).0, code, "{role}");
        toy.release.notify_waiters();
        for call in held {
            assert_eq!(verdict(&call.await.unwrap().unwrap()).0, Code::Ok);
        }
        assert_eq!(verdict(&toy.send(call(WHO)).await).0, Code::Ok, "{role}: the places are free");
    }
}

#[tokio::test]
async fn watchers_of_health_take_no_place_of_a_health_check() {
    let (stack, health) = port(&toy(Limits::default()), std::convert::identity).await;
    health.serving().await;
    let watch = || stack.clone().oneshot(request(WATCH_HEALTH).body(crate::edges::message(&[])).unwrap());
    let mut open = Vec::new();
    for _ in 0..64 {
        let watching = watch().await.unwrap();
        assert_eq!(verdict(&watching).0, Code::Ok);
        open.push(watching);
    }
    assert_eq!(verdict(&watch().await.unwrap()), (Code::ResourceExhausted, Some(ErrorReason::Overloaded)));
    assert_eq!(check(&stack, "").await, 1, "still SERVING for those who ask");
    open.pop();
    assert_eq!(verdict(&watch().await.unwrap()).0, Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn watching_health_ends_after_thirty_minutes_and_says_so() {
    let (stack, health) = port(&toy(Limits::default()), std::convert::identity).await;
    health.serving().await;
    let asked = request(WATCH_HEALTH).body(crate::edges::message(&[])).unwrap();
    let (opened, watching) = (Instant::now(), stack.oneshot(asked).await.unwrap());
    // The collector reads until the end; nothing changes meanwhile.
    let whole = watching.into_body().collect().await.unwrap();
    assert_eq!(opened.elapsed().as_secs(), 30 * 60);
    let status = Status::from_header_map(whole.trailers().unwrap()).unwrap();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
}

#[tokio::test]
async fn a_health_check_gives_its_place_back_when_it_is_answered() {
    let (stack, health) = port(&toy(Limits::default()), std::convert::identity).await;
    health.serving().await;
    let mut unread = Vec::new();
    for _ in 0..1_000 {
        let asked = request("/grpc.health.v1.Health/Check").body(crate::edges::message(&[])).unwrap();
        let answer = stack.clone().oneshot(asked).await.unwrap();
        assert_eq!(verdict(&answer).0, Code::Ok, "{:?}", Status::from_header_map(answer.headers()));
        unread.push(answer);
    }
}
