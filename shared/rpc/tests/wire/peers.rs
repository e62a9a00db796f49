//! Calls between services: in process and over a network.

use std::time::Duration;

use crate::support::{Response, Toy, contract, request, spec, toy, verdict};
use http_body_util::BodyExt;
use kernel::{OrgId, Role, Subject};
use proto::common::v1::ErrorReason;
use rpc::{Call, Fault, Limits, Peer, ServiceTokens, Switchboard};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Service, ServiceExt};

const WHO: &str = "/toy.v1.Toy/WhoAmI";

fn tokens(toy: &Toy) -> ServiceTokens {
    ServiceTokens::new(toy.signer.clone(), Subject::parse("notes").unwrap(), toy.clock.clone())
}

fn local(toy: &Toy) -> Peer {
    let board = Switchboard::new();
    board.connect(&toy.stack);
    Peer::local(board, tokens(toy))
}

/// The call of an agent, as a handler holds it.
async fn call_of(toy: &Toy, timeout: &str) -> Call {
    use std::sync::{Arc, Mutex};
    let seen = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&seen);
    let handler = move |request: axum::extract::Request| {
        *keep.lock().unwrap() = request.extensions().get::<Call>().cloned();
        async { http::StatusCode::OK }
    };
    let routes = tonic::service::Routes::from(axum::Router::new().route(WHO, axum::routing::post(handler)));
    let policy = rpc::Policy::new(toy.verifier.clone(), toy.clock.clone()).with_contract(contract);
    let bearer = format!("Bearer {}", toy.signer.mint(&spec("ana", Role::Agent)).unwrap());
    let request = request(WHO).header("authorization", bearer).header("grpc-timeout", timeout);
    rpc::stack(routes, policy).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let call = seen.lock().unwrap().take();
    call.unwrap()
}

async fn ask(mut peer: rpc::PeerService, path: &str) -> Response {
    peer.ready().await.unwrap().call(request(path).body(Body::empty()).unwrap()).await.unwrap()
}

fn said(answer: &Response) -> [String; 3] {
    ["org", "subject", "role"].map(|name| answer.headers()[name].to_str().unwrap().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_question_is_asked_as_the_caller_within_what_is_left_of_its_time() {
    let toy = toy(Limits::default());
    let call = call_of(&toy, "3S").await;
    tokio::time::advance(Duration::from_secs(1)).await;
    let answer = ask(local(&toy).on_behalf(&call), WHO).await;
    assert_eq!(said(&answer), ["acme", "ana", "agent"]);
    let left: u64 = answer.headers()["left-ms"].to_str().unwrap().parse().unwrap();
    assert!((1_900..=2_000).contains(&left), "{left}");
    let late = ask(local(&toy).on_behalf(&call), "/toy.v1.Toy/Slow");
    let begin = tokio::time::Instant::now();
    assert_eq!(verdict(&late.await).0, Code::DeadlineExceeded);
    assert!(begin.elapsed() <= Duration::from_millis(2_010), "{:?}", begin.elapsed());
    let after = ask(local(&toy).on_behalf(&call), WHO).await;
    assert_eq!(verdict(&after), (Code::DeadlineExceeded, Some(ErrorReason::DeadlineExceeded)));
}

#[tokio::test]
async fn what_a_service_does_itself_it_does_as_a_service_of_that_organization() {
    let toy = toy(Limits::default());
    let peer = local(&toy);
    for org in ["acme", "other", "acme"] {
        let org = OrgId::parse(org).unwrap();
        let answer = ask(peer.as_service(&org, Duration::from_secs(1)), WHO).await;
        assert_eq!(said(&answer), [org.as_str(), "notes", "service"]);
        toy.hand.advance(Duration::from_secs(290));
    }
}

#[tokio::test]
async fn a_switchboard_not_connected_yet_is_unavailable() {
    let toy = toy(Limits::default());
    let peer = Peer::local(Switchboard::new(), tokens(&toy));
    let answer = ask(peer.as_service(&OrgId::parse("acme").unwrap(), Duration::from_secs(1)), WHO).await;
    assert_eq!(verdict(&answer), (Code::Unavailable, Some(ErrorReason::DependencyUnavailable)));
}

#[tokio::test]
async fn questions_inside_calls_are_not_refused_because_the_process_is_full_of_calls() {
    let toy = toy(Limits { unary_in_flight: 0, person_per_second: 1, ..Limits::default() });
    assert_eq!(verdict(&toy.call_as("bo", WHO).await).0, Code::ResourceExhausted);
    let toy = crate::support::toy(Limits { unary_in_flight: 1, person_per_second: 1, ..Limits::default() });
    let (call, peer) = (call_of(&toy, "3S").await, local(&toy));
    for _ in 0..20 {
        assert_eq!(verdict(&ask(peer.on_behalf(&call), WHO).await).0, Code::Ok);
    }
}

#[tokio::test]
async fn a_network_peer_is_unavailable_until_it_is_there_and_then_answers() {
    let toy = toy(Limits::default());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let peer = Peer::channel(format!("http://{port}").parse().unwrap(), tokens(&toy));
    let org = OrgId::parse("acme").unwrap();
    let answer = ask(peer.as_service(&org, Duration::from_secs(5)), WHO).await;
    assert_eq!(verdict(&answer), (Code::Unavailable, Some(ErrorReason::DependencyUnavailable)));

    let listener = tokio::net::TcpListener::bind(port).await.unwrap();
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let from_axum = toy.stack.clone().map_request(|request: axum::extract::Request| request.map(Body::new));
    let everything = axum::Router::new().fallback_service(from_axum);
    let server =
        tonic::transport::Server::builder().add_routes(everything.into()).serve_with_incoming(incoming);
    tokio::spawn(server);
    let mut answer = ask(peer.as_service(&org, Duration::from_secs(5)), WHO).await;
    for _ in 0..50 {
        if verdict(&answer).0 == Code::Ok {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = ask(peer.as_service(&org, Duration::from_secs(5)), WHO).await;
    }
    assert_eq!(said(&answer), ["acme", "notes", "service"]);

    let begin = std::time::Instant::now();
    let slow = ask(peer.as_service(&org, Duration::from_millis(300)), "/toy.v1.Toy/Slow").await;
    assert_eq!(verdict(&slow).0, Code::DeadlineExceeded);
    // The head of this one comes at once and its end never does.
    let endless = ask(peer.as_service(&org, Duration::from_millis(300)), "/toy.v1.Toy/Watch").await;
    let body = tokio::time::timeout(Duration::from_secs(5), endless.into_body().collect()).await;
    let body = body.expect("cut at the deadline").unwrap();
    let status = Status::from_header_map(body.trailers().expect("with a status")).unwrap();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(begin.elapsed() < Duration::from_millis(1_000), "{:?}", begin.elapsed());
}

#[test]
fn a_peers_refusal_passes_on_what_the_caller_can_act_on_and_masks_the_rest() {
    let through = |status: Status| {
        let status = Status::from(Fault::from_peer(status));
        (status.code(), rpc::reason_of(&status), status.message().to_owned())
    };
    let stale = through(Fault::stale_etag("7").into());
    assert_eq!((stale.0, stale.1), (Code::Aborted, Some(ErrorReason::StaleEtag)));
    assert_eq!(through(Status::not_found("secret")).2, "not found");
    assert_eq!(through(Status::unavailable("secret")).1, Some(ErrorReason::DependencyUnavailable));
    assert!(!through(Status::unavailable("secret")).2.contains("secret"));
    assert_eq!(through(Status::cancelled("Timeout expired")).0, Code::DeadlineExceeded);
    for inner in [
        Status::internal("secret"),
        Status::unknown("secret"),
        Status::invalid_argument("secret"),
        Status::aborted("secret"),
    ] {
        let (code, reason, message) = through(inner);
        assert_eq!((code, reason), (Code::Internal, Some(ErrorReason::Internal)));
        assert!(!message.contains("secret"));
    }
}
