//! A server that is slow, silent or in a bad mood: each email gets its own answer, and connections stay few.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use super::super::{NotTaken, Smtp, tests};
use super::Limits;
use crate::app::dispatch::CARRY;
use crate::config::email::EmailConfig;

/// Short, and far below what any answer is held back for.
const LIMITS: Limits = Limits {
    wait: Duration::from_secs(10),
    send: Duration::from_millis(500),
    check: Duration::from_millis(200),
    idle: Duration::from_secs(60),
};

const HELD_BACK: Duration = Duration::from_millis(1_200);

/// A server: it says these things at the end of emails, each after a while, and then `250`.
#[derive(Default)]
struct Server {
    answers: Mutex<VecDeque<(Duration, &'static str)>>,
    /// Connections that were opened, those that are open, and the most that were open at once.
    opened: AtomicUsize,
    open: AtomicUsize,
    most: AtomicUsize,
    /// Whether it answers no NOOP any more.
    deaf: std::sync::atomic::AtomicBool,
}

impl Server {
    fn saying(answers: &[(Duration, &'static str)]) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.iter().copied().collect()), ..Self::default() })
    }

    /// Begins to listen; tells how it is reached.
    async fn start(self: &Arc<Self>) -> EmailConfig {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = Arc::clone(&server);
                tokio::spawn(async move {
                    server.opened.fetch_add(1, Ordering::SeqCst);
                    let open = server.open.fetch_add(1, Ordering::SeqCst) + 1;
                    server.most.fetch_max(open, Ordering::SeqCst);
                    let _broken = server.serve(stream).await;
                    server.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        EmailConfig { host: "127.0.0.1".to_owned(), port: Some(port), ..tests::in_clear() }
    }

    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 here\r\n").await?;
        let mut email = false;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let command = line.trim_end();
            let answer = match command {
                "." if email => {
                    email = false;
                    let answer = self.answers.lock().unwrap().pop_front();
                    let (late, answer) = answer.unwrap_or((Duration::ZERO, "250 taken"));
                    sleep(late).await;
                    answer
                }
                _ if email => continue,
                "DATA" => {
                    email = true;
                    "354 go on"
                }
                "NOOP" if self.deaf.load(Ordering::SeqCst) => continue,
                "QUIT" => return stream.write_all(b"221 bye\r\n").await,
                _ => "250 good",
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// Waits until nobody is connected.
    async fn left_alone(&self) {
        let patience = Instant::now() + Duration::from_secs(10);
        while self.open.load(Ordering::SeqCst) > 0 {
            assert!(Instant::now() < patience, "a connection stays open");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn send(smtp: &Smtp) -> Result<(), NotTaken> {
    smtp.send(tests::mail("Ana", "Hello", tests::ana())).await
}

// D4, D7
#[tokio::test]
async fn an_answer_that_comes_too_late_is_not_the_answer_to_the_next_email() {
    let server = Server::saying(&[(HELD_BACK, "250 taken"), (Duration::ZERO, "451 not now")]);
    let smtp = Smtp::limited(&server.start().await, LIMITS).unwrap();
    assert_eq!(send(&smtp).await, Err(NotTaken::Unreachable(None)));
    // Until that answer is there.
    sleep(HELD_BACK).await;
    assert_eq!(send(&smtp).await, Err(NotTaken::Again(Some(451))));
    assert_eq!(send(&smtp).await, Ok(()));
}

// D4, D7
#[tokio::test]
async fn an_email_that_is_cut_off_leaves_no_answer_to_the_next_one() {
    let server = Server::saying(&[(HELD_BACK, "250 taken"), (Duration::ZERO, "451 not now")]);
    let limits = Limits { send: Duration::from_secs(20), ..LIMITS };
    let smtp = Smtp::limited(&server.start().await, limits).unwrap();
    assert!(timeout(Duration::from_millis(300), send(&smtp)).await.is_err(), "the answer is held back");
    sleep(HELD_BACK).await;
    assert_eq!(send(&smtp).await, Err(NotTaken::Again(Some(451))));
}

// D4, D7
#[tokio::test]
async fn a_connection_is_kept_after_a_refusal_and_each_email_has_its_own_answer() {
    let answers = ["250 taken", "550 nobody", "250 taken", "451 not now", "250 taken"];
    let server = Server::saying(&answers.map(|answer| (Duration::ZERO, answer)));
    let smtp = Smtp::limited(&server.start().await, LIMITS).unwrap();
    let mut outcomes = Vec::new();
    for _ in answers {
        outcomes.push(send(&smtp).await);
    }
    let (refused, again) = (Err(NotTaken::Refused(Some(550))), Err(NotTaken::Again(Some(451))));
    assert_eq!(outcomes, [Ok(()), refused, Ok(()), again, Ok(())]);
    assert_eq!(server.opened(), 1);
}

// D4
#[tokio::test]
async fn there_are_no_more_connections_than_were_allowed_and_idle_ones_are_closed() {
    let server = Server::saying(&[(Duration::from_millis(50), "250 taken"); 12]);
    let config = EmailConfig { connections: 3, ..server.start().await };
    let limits = Limits { idle: Duration::from_millis(300), ..LIMITS };
    let smtp = Smtp::limited(&config, limits).unwrap();
    let outcomes = futures::future::join_all((0..12).map(|_| send(&smtp))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!((server.most.load(Ordering::SeqCst), server.opened()), (3, 3));
    server.left_alone().await;
    assert_eq!(send(&smtp).await, Ok(()), "over a new one");
}

// D4
#[tokio::test]
async fn who_finds_no_free_connection_has_not_tried() {
    let server = Server::saying(&[(Duration::from_millis(400), "250 taken")]);
    let config = EmailConfig { connections: 1, ..server.start().await };
    let smtp = Smtp::limited(&config, Limits { wait: Duration::from_millis(100), ..LIMITS }).unwrap();
    let (first, second) = tokio::join!(send(&smtp), send(&smtp));
    assert_eq!((first, second), (Ok(()), Err(NotTaken::Busy)));
}

// D4
#[tokio::test]
async fn a_kept_connection_that_does_not_answer_any_more_is_replaced() {
    let server = Server::saying(&[]);
    let smtp = Smtp::limited(&server.start().await, LIMITS).unwrap();
    assert_eq!(send(&smtp).await, Ok(()));
    server.deaf.store(true, Ordering::SeqCst);
    assert_eq!(send(&smtp).await, Ok(()));
    assert_eq!(server.opened(), 2);
    drop(smtp);
    server.left_alone().await;
}

// D4
#[test]
fn an_email_is_decided_before_its_delivery_is_cut_off() {
    let Limits { wait, send, check, .. } = Limits::USUAL;
    // And there is time to write it.
    assert!(wait + send + check + Duration::from_secs(5) < CARRY);
}
