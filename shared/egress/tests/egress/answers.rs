//! What comes back is bounded in size and time.

use std::time::Duration;

use bytes::Bytes;
use egress::{ANSWER_LIMIT, Egress, EgressSettings, Failure};
use http::Request;

use crate::support::{Server, get, lax};

fn hasty() -> Egress {
    Egress::new(&EgressSettings { timeout_ms: 1_500, connect_ms: 1_000, ..lax() }).unwrap()
}

// D8
#[tokio::test]
async fn a_request_arrives_as_it_was_made_and_the_answer_comes_back_whole() {
    let server = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nretry-after: 7\r\n\r\nok").await;
    let egress = Egress::new(&lax()).unwrap();
    let request = Request::post(server.url()).header("webhook-id", "1").body(Bytes::from("{}")).unwrap();
    let answer = egress.send(request).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..], answer.whole), (200, &b"ok"[..], true));
    assert_eq!(answer.retry_after(kernel::Timestamp::from_micros(0)), Some(Duration::from_secs(7)));
    let head = server.heads.lock().unwrap()[0].to_lowercase();
    for line in
        ["post /hook http/1.1\r\n", "webhook-id: 1\r\n", "content-length: 2\r\n", "user-agent: backchannel/"]
    {
        assert!(head.contains(line), "{head}");
    }
    assert!(head.contains(&format!("host: {}\r\n", server.address)), "{head}");
}

// Fault 26
#[tokio::test]
async fn of_a_long_answer_the_beginning_is_read_and_no_more() {
    let mut long = b"HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n".to_vec();
    long.resize(long.len() + 10_000_000, b'x');
    let answer = get(&Egress::new(&lax()).unwrap(), &Server::saying(long).await.url()).await.unwrap();
    assert_eq!((answer.body.len(), answer.whole), (ANSWER_LIMIT, false));
}

// Fault 26
#[tokio::test]
async fn a_head_without_end_is_refused() {
    let mut long = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
    long.resize(long.len() + 10_000_000, b'x');
    let failure = get(&Egress::new(&lax()).unwrap(), &Server::saying(long).await.url()).await.unwrap_err();
    assert_eq!(failure, Failure::Broken);
}

// D8
#[tokio::test]
async fn who_takes_a_request_and_is_silent_costs_no_more_than_the_time_limit() {
    let silent = Server::saying_and_hanging("").await;
    assert_eq!(get(&hasty(), &silent.url()).await.unwrap_err(), Failure::Timeout);
    // A status counts when it was said, whatever becomes of the body.
    let slow = Server::saying_and_hanging("HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\nbegin").await;
    let answer = get(&hasty(), &slow.url()).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..], answer.whole), (202, &b"begin"[..], false));
}

// D8
#[tokio::test]
async fn what_is_no_http_or_breaks_off_is_a_broken_connection() {
    for answer in ["", "HTTP/1.1 2", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 999999 x\r\n\r\n"] {
        let failure = get(&Egress::new(&lax()).unwrap(), &Server::saying(answer).await.url()).await;
        assert_eq!(failure.unwrap_err(), Failure::Broken, "{answer:?}");
    }
    let nobody = get(&Egress::new(&lax()).unwrap(), "http://127.0.0.1:1/").await.unwrap_err();
    assert_eq!(nobody, Failure::Unconnected);
}
