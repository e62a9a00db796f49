//! A network of the test's making, and a server that says what the test wants.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use egress::network::System;
use egress::{Answer, BoxFuture, Egress, EgressSettings, Failure, Network};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Names resolve to what the test says, one answer after the other, the last again and again; without any, as on this machine. What is
/// dialled is noted, and is in truth always `server`, if there is one.
#[derive(Default)]
pub(crate) struct Fake {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    server: Option<SocketAddr>,
    pub(crate) resolved: Mutex<usize>,
    pub(crate) dialled: Mutex<Vec<SocketAddr>>,
}

impl Fake {
    pub(crate) fn answering(answers: impl IntoIterator<Item = Vec<IpAddr>>) -> Self {
        Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() }
    }

    pub(crate) fn reaching(self, server: SocketAddr) -> Self {
        Self { server: Some(server), ..self }
    }

    /// From now on every name is this address.
    pub(crate) fn answer(&self, address: IpAddr) {
        *self.answers.lock().unwrap() = VecDeque::from([vec![address]]);
    }

    pub(crate) fn dialled(&self) -> Vec<SocketAddr> {
        self.dialled.lock().unwrap().clone()
    }
}

impl Network for Fake {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        *self.resolved.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        match answer {
            Some(answer) => Box::pin(async move { Ok(answer) }),
            None => Box::pin(System.resolve(host)),
        }
    }

    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        self.dialled.lock().unwrap().push(address);
        let server = self.server;
        Box::pin(async move {
            match server {
                Some(server) => TcpStream::connect(server).await,
                None => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        })
    }
}

/// As in production, but for http.
pub(crate) fn strict() -> EgressSettings {
    EgressSettings { allow_http: true, ..EgressSettings::default() }
}

/// As for development.
pub(crate) fn lax() -> EgressSettings {
    EgressSettings { allow_private_addresses: true, ..strict() }
}

pub(crate) async fn get(egress: &Egress, url: &str) -> Result<Answer, Failure> {
    egress.send(Request::get(url).body(Bytes::new()).unwrap()).await
}

pub(crate) fn over(network: &Arc<Fake>, settings: &EgressSettings) -> Egress {
    let network: Arc<dyn Network> = network.clone();
    Egress::over(network, settings).unwrap()
}

/// A server on this machine that answers each request with these bytes and then closes the connection, or keeps it open in silence; and
/// the heads of the requests it had.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        Self::start(answer.into(), false).await
    }

    pub(crate) async fn saying_and_hanging(answer: impl Into<Vec<u8>>) -> Self {
        Self::start(answer.into(), true).await
    }

    async fn start(answer: Vec<u8>, hangs: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = heads.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), hangs, noted.clone()));
            }
        });
        Self { address, heads }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }
}

async fn serve(mut stream: TcpStream, answer: Vec<u8>, hangs: bool, heads: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    heads.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
    // Who has heard enough may have hung up.
    let _ = stream.write_all(&answer).await;
    if hangs {
        std::future::pending::<()>().await;
    }
}
