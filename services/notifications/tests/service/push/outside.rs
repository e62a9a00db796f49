//! A server outside, such as a push service: it keeps what it was sent and answers what it is told to.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::support::PATIENCE;

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    /// A header that is there once.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut all = self.headers.get_all(name).iter();
        let text = all.next().unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).to_str().unwrap();
        assert!(all.next().is_none(), "{name} comes twice");
        text
    }
}

/// What it answers to a request.
pub(crate) type Answers = Box<dyn FnMut(&Seen) -> Response<String> + Send>;

/// A server on a port of its own, until it is dropped.
pub(crate) struct Outside {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<Answers>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Outside {
    /// One that takes everything.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let answers: Arc<Mutex<Answers>> = Arc::new(Mutex::new(Box::new(|_: &Seen| status(201))));
        let serving = tokio::spawn(serve(listener, Arc::clone(&seen), Arc::clone(&answers)));
        Self { url, seen, answers, serving }
    }

    /// From now on it answers so.
    pub(crate) fn answers(&self, answers: impl FnMut(&Seen) -> Response<String> + Send + 'static) {
        *self.answers.lock().unwrap() = Box::new(answers);
    }

    /// What came so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// What came, once so much has come.
    pub(crate) async fn sees(&self, count: usize) -> Vec<Seen> {
        let come = async {
            while self.seen().len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, come).await.unwrap_or_else(|_| panic!("{} came", self.seen().len()));
        self.seen()
    }
}

/// An answer with this status and nothing else.
pub(crate) fn status(status: u16) -> Response<String> {
    Response::builder().status(status).body(String::new()).unwrap()
}

/// An answer with this status and JSON.
pub(crate) fn json(status: u16, body: &serde_json::Value) -> Response<String> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(body.to_string())
        .unwrap()
}

async fn serve(listener: TcpListener, seen: Arc<Mutex<Vec<Seen>>>, answers: Arc<Mutex<Answers>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (seen, answers) = (Arc::clone(&seen), Arc::clone(&answers));
        let service = service_fn(move |request| answer(request, Arc::clone(&seen), Arc::clone(&answers)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    all: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<Answers>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    assert_eq!(request.method(), "POST");
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let seen = Seen { path, headers, body };
    let answer = {
        let mut answers = answers.lock().unwrap();
        (*answers)(&seen)
    };
    all.lock().unwrap().push(seen);
    Ok(answer.map(|body| Full::new(Bytes::from(body))))
}
