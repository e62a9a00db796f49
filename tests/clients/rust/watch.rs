//! A person's notifications as they come: in order, each once, none missing, across any number of cuts.

use std::time::Duration;

use proto::common::v1::StreamStart;
use proto::common::v1::stream_start::Start;
use proto::notifications::v1::SubscribeRequest;
use proto::notifications::v1::subscribe_response::Frame;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tonic::{Code, Status};

use crate::backchannel::Backchannel;

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A place in somebody's notifications.
pub(crate) struct Watch {
    api: Backchannel,
    /// Behind the last notification that was handed over. Keep it to go on there after a restart.
    resume_token: String,
    /// Told each time the stream is there.
    opened: mpsc::Sender<()>,
}

/// A watch at work.
pub(crate) struct Listening {
    cut: oneshot::Sender<()>,
    task: JoinHandle<Watch>,
}

impl Listening {
    /// Drops the connection, as a change of network does.
    ///
    /// # Panics
    /// Never: the task does not panic.
    pub(crate) async fn cut(self) -> Watch {
        let _ = self.cut.send(());
        match self.task.await {
            Ok(watch) => watch,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

impl Watch {
    /// Begins with what happens from now on.
    pub(crate) fn new(api: Backchannel, opened: mpsc::Sender<()>) -> Self {
        Self { api, resume_token: String::new(), opened }
    }

    /// Hands over the note of each notification until it is cut.
    pub(crate) fn listen(mut self, tell: mpsc::Sender<String>) -> Listening {
        let (cut, is_cut) = oneshot::channel();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = self.run(&tell) => {}
                _ = is_cut => {}
            }
            self
        });
        Listening { cut, task }
    }

    /// Listens, and again after each cut, behind what was handed over last.
    async fn run(&mut self, tell: &mpsc::Sender<String>) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            match self.once(tell, &mut pause).await {
                Ok(()) => {}
                Err(status) if passes(&status) => {}
                // Whoever waits for notifications is told: nobody hands over any more.
                Err(_) => return,
            }
            // Of random length, so that a crowd which was cut off at once does not come back at once.
            let chance = 0.5 + f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 512.0;
            tokio::time::sleep(pause.mul_f64(chance)).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Listens until the stream ends.
    async fn once(&mut self, tell: &mpsc::Sender<String>, pause: &mut Duration) -> Result<(), Status> {
        let start = Some(self.resume_token.clone()).filter(|token| !token.is_empty()).map(Start::ResumeToken);
        let request = SubscribeRequest { start: start.map(|start| StreamStart { start: Some(start) }) };
        let mut stream = self.api.notifications().subscribe(request).await?.into_inner();
        while let Some(answer) = stream.message().await? {
            match answer.frame {
                Some(Frame::Opened(_)) => {
                    let _ = self.opened.send(()).await;
                }
                Some(Frame::Notification(told)) => {
                    *pause = SHORTEST_PAUSE;
                    if tell.send(told.note_id).await.is_err() {
                        return Ok(());
                    }
                }
                Some(Frame::Heartbeat(_)) => *pause = SHORTEST_PAUSE,
                Some(Frame::ResyncRequired(_)) => {
                    return Err(Status::out_of_range("list the notifications, then watch without a token"));
                }
                _ => {}
            }
            // Only behind what was handed over: what was not comes again.
            if !answer.resume_token.is_empty() {
                self.resume_token = answer.resume_token;
            }
        }
        Ok(())
    }
}

fn passes(status: &Status) -> bool {
    let passing = [Code::Unavailable, Code::ResourceExhausted, Code::DeadlineExceeded, Code::Cancelled];
    // A status with a source was made here, of a connection that broke; a server's has none.
    passing.contains(&status.code()) || std::error::Error::source(status).is_some()
}
