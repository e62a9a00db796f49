//! What the two ports answer, and what they put up with.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::*;
use runtime::{StartError, Unit, Worker};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic::service::Routes;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const QUICK: Duration = Duration::ZERO;

/// Preface and empty SETTINGS of HTTP/2: a client that is there and opens no stream.
const POLITE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn quick() -> Unit {
    unit(QUICK, Routes::default(), vec![])
}

// P9
#[tokio::test]
async fn health_is_known_per_service_and_needs_no_token() {
    let process = start(vec![quick()], |_| ()).await;
    let mut health = HealthClient::new(process.channel());
    for service in ["", "backchannel.notifications.v1.IngestService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        assert_eq!(health.check(request).await.unwrap().into_inner().status, 1, "{service:?} is not SERVING");
    }
    let refused = health.check(HealthCheckRequest { service: "nobody".to_owned() }).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
}

#[tokio::test]
async fn a_call_goes_through_all_layers() {
    let process = start(vec![quick()], |_| ()).await;
    let answer = notify(process.channel(), process.bearer()).await.unwrap();
    assert_eq!(answer.outcomes.len(), 1);
    let refused = notify(process.channel(), "Bearer nonsense".parse().unwrap()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

// P9
#[tokio::test]
async fn a_browser_calls_by_grpc_web_over_http_1() {
    let process = start(vec![quick()], |_| ()).await;
    // A health check of everything: one empty message.
    let request = b"POST /grpc.health.v1.Health/Check HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
        content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\ncontent-length: 5\r\n\r\n\0\0\0\0\0";
    let answer = http1(process.running.grpc, request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("grpc-status:0"), "{answer}");
}

// P9
#[tokio::test]
async fn the_internal_port_has_metrics_and_probes_and_the_public_port_has_not() {
    let process = start(vec![quick()], |_| ()).await;
    notify(process.channel(), process.bearer()).await.unwrap();
    let metrics = get(process.running.metrics, "/metrics").await;
    assert!(metrics.contains("rpc_server_duration_seconds_bucket"), "{metrics}");
    assert!(get(process.running.metrics, "/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(get(process.running.metrics, "/readyz").await.starts_with("HTTP/1.1 200"));
    assert!(!get(process.running.grpc, "/metrics").await.starts_with("HTTP/1.1 200"));
}

// G1
#[tokio::test]
async fn the_internal_port_tells_the_edge_the_public_keys_and_nothing_private() {
    let process = start(vec![quick()], |_| ()).await;
    let answer = get(process.running.metrics, "/jwks.json").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""kty":"OKP""#), "{answer}");
    assert!(!answer.contains(r#""d":"#), "{answer}");
    assert!(!get(process.running.grpc, "/jwks.json").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_connection_that_asks_nothing_is_closed_whatever_else_it_says() {
    let process = start(vec![quick()], |config| config.connections.first_request_ms = 200).await;
    for said in [b"".as_slice(), b"P", b"PRI * HTTP/2.0\r\n", POLITE, b"POST / HTTP/1.1\r\nhost:"] {
        let what = String::from_utf8_lossy(said);
        let mut silent = TcpStream::connect(process.running.grpc).await.unwrap();
        let begun = Instant::now();
        silent.write_all(said).await.unwrap();
        let read = tokio::time::timeout(Duration::from_secs(5), silent.read_to_end(&mut Vec::new())).await;
        assert!(read.is_ok(), "still open after {what:?}");
        assert!(begun.elapsed() >= Duration::from_millis(150), "closed at once after {what:?}");
    }
}

#[tokio::test]
async fn connections_that_ask_nothing_do_not_hold_up_the_end() {
    let process = start(vec![quick()], |_| ()).await;
    let mut silent = Vec::new();
    for said in [b"".as_slice(), b"P", POLITE] {
        let mut stream = TcpStream::connect(process.running.grpc).await.unwrap();
        stream.write_all(said).await.unwrap();
        silent.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    assert!(process.running.stop().await, "in order");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_connection_that_has_asked_may_wait_for_its_answer() {
    let slow = unit(Duration::from_millis(600), Routes::default(), vec![]);
    let process = start(vec![slow], |config| config.connections.first_request_ms = 200).await;
    notify(process.channel(), process.bearer()).await.unwrap();
}

#[tokio::test]
async fn a_worker_that_panics_is_started_again() {
    let starts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&starts);
    let worker = Worker::new("clumsy", move |stop| {
        let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            assert!(!first, "this worker falls over once");
            stop.cancelled().await;
        }
    });
    let process = start(vec![unit(QUICK, Routes::default(), vec![worker])], |_| ()).await;
    let begun = Instant::now();
    while starts.load(Ordering::SeqCst) < 2 {
        assert!(begun.elapsed() < Duration::from_secs(10), "not started again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(process.running.stop().await);
}

#[tokio::test]
async fn a_service_whose_peer_is_nowhere_does_not_start_and_says_which_key_is_missing() {
    let asking = Unit::new("notes", |_config, deps| async move {
        deps.peer("routing")?;
        Err(StartError::Process("it was found".to_owned()))
    });
    let data = tempfile::tempdir().unwrap();
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let config =
        runtime::Config { listen: free, metrics: free, data: data.path().into(), ..Default::default() };
    let refused = runtime::start(config, kernel::Clock::system(), vec![asking]).await.unwrap_err();
    assert!(refused.to_string().contains("peers.routing"), "{refused}");
}

/// A section in which nothing can be set.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

// P8
#[tokio::test]
async fn what_is_wrong_is_found_before_a_folder_or_a_service_is_made() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = taken.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("file"));
    std::fs::write(&file, "").unwrap();
    let notes = || serde_json::from_str(r#"{"colour": "red"}"#).unwrap();
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let usual = || runtime::Config { listen: free, metrics: free, data: data.clone(), ..Default::default() };
    for (config, said) in [
        (runtime::Config { notes: notes(), ..usual() }, ["unknown key", "notes.colour"]),
        (runtime::Config { listen: busy, ..usual() }, ["free it", "--listen"]),
        (runtime::Config { metrics: busy, ..usual() }, ["free it", "--metrics"]),
        (runtime::Config { data: file.clone(), ..usual() }, ["is a file", "--data"]),
    ] {
        let made = Arc::new(AtomicBool::new(false));
        let mark = Arc::clone(&made);
        let first = Unit::new("contacts", move |_config, _deps| {
            mark.store(true, Ordering::SeqCst);
            async { Err(StartError::Process("it was made".to_owned())) }
        });
        let second = unit(QUICK, Routes::default(), vec![]);
        let third =
            Unit::new("notes", |_config, _deps| async { Err(StartError::Process("made".to_owned())) });
        let units = vec![first, second, third.reading::<Nothing>()];
        let refused = runtime::start(config, kernel::Clock::system(), units).await.unwrap_err().to_string();
        assert!(said.iter().all(|part| refused.contains(part)), "{refused}");
        assert!(!made.load(Ordering::SeqCst) && !data.exists(), "{refused}");
    }
}

/// A connection on which nothing is ever taken: a window of zero, and every ping answered.
async fn taking_nothing(process: &crate::support::Process) -> tonic::transport::Channel {
    let endpoint =
        tonic::transport::Endpoint::from_shared(format!("http://{}", process.running.grpc)).unwrap();
    endpoint.initial_stream_window_size(0).connect().await.unwrap()
}

// Faults 13
#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_cut_off_and_who_waits_for_news_is_not() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    let process = start(vec![unit(QUICK, Routes::default(), vec![])], |config| {
        config.connections.stalled_ms = 300;
    })
    .await;
    let mut patient = HealthClient::new(process.channel());
    let mut news = patient.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert!(news.message().await.unwrap().is_some());

    let patience = Duration::from_secs(10);
    let silent = taking_nothing(&process).await;
    let unary = tokio::time::timeout(patience, notify(silent, process.bearer())).await.expect("cut off");
    assert!(unary.is_err());
    let mut silent = HealthClient::new(taking_nothing(&process).await);
    let mut stream = silent.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert!(tokio::time::timeout(patience, stream.message()).await.expect("cut off").is_err());

    let more = tokio::time::timeout(Duration::from_millis(100), news.message()).await;
    assert!(more.is_err(), "still open, and nothing to tell: {more:?}");
    assert!(process.running.stop().await);
}
