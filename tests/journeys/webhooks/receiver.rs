//! A program of the organization that is called when something happens.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) body: Value,
}

impl Received {
    pub(super) fn kind(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default()
    }
}

/// It takes every call and answers that it did.
pub(super) struct Receiver {
    pub(super) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        let received = Arc::default();
        let calls = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let calls = Arc::clone(&calls);
                tokio::spawn(async move { while_open(connection, &calls).await });
            }
        });
        Self { url, received }
    }

    /// Every call so far, in the order in which they came.
    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn while_open(connection: TcpStream, calls: &Mutex<Vec<Received>>) {
    let mut connection = BufReader::new(connection);
    while let Some(body) = call(&mut connection).await {
        let body = serde_json::from_slice(&body).unwrap();
        calls.lock().unwrap().push(Received { body });
        let answer = "HTTP/1.1 204 No Content\r\n\r\n";
        if connection.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The body of the next call; none when the caller is gone.
async fn call(connection: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_lowercase();
        if let Some(said) = line.strip_prefix("content-length:") {
            length = said.trim().parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.ok()?;
    Some(body)
}
