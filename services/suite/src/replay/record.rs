//! Records messages: many conversations at once, each in its own order.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use proto::routing::v1 as pb;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::input::Rejected;
use super::ledger::{Ledger, Taken};
use super::line::{Line, in_the_file};

use crate::client::{Session, patiently};
use crate::failure::Failure;
use crate::progress::Progress;

/// Lines that may wait in a lane.
const LANE_DEPTH: usize = 16;

/// What the lanes share.
#[derive(Clone)]
pub(super) struct Recorder {
    pub(super) channel: Session,
    pub(super) ledger: Arc<Ledger>,
    pub(super) progress: Arc<Progress>,
    /// Whether the first line that is refused ends it all.
    pub(super) strict: bool,
    /// Whether a conversation is resolved with its goodbye, and not in the end.
    pub(super) resolves: bool,
}

/// As many callers as asked for. A conversation always takes the same lane, so its messages keep their order.
pub(super) struct Lanes {
    lanes: Vec<mpsc::Sender<Line>>,
    workers: JoinSet<Result<(), Failure>>,
}

impl Lanes {
    pub(super) fn start(count: usize, recorder: &Recorder) -> Self {
        let mut workers = JoinSet::new();
        let lanes = (0..count)
            .map(|_| {
                let (lane, lines) = mpsc::channel(LANE_DEPTH);
                workers.spawn(recorder.clone().work(lines));
                lane
            })
            .collect();
        Self { lanes, workers }
    }

    /// Hands a line to its lane; waits while the lane is full.
    pub(super) async fn send(&mut self, line: Line) -> Result<(), Failure> {
        let mut hasher = DefaultHasher::new();
        line.conversation.hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % self.lanes.len() as u64).unwrap_or_default();
        match self.lanes[lane].send(line).await {
            Ok(()) => Ok(()),
            // The worker has ended, and knows why.
            Err(_) => self.finished().await.and(Err(Failure("a lane ended early".to_owned()))),
        }
    }

    /// Waits until everything handed over is recorded.
    pub(super) async fn finish(mut self) -> Result<(), Failure> {
        self.finished().await
    }

    async fn finished(&mut self) -> Result<(), Failure> {
        self.lanes.clear();
        while let Some(ended) = self.workers.join_next().await {
            ended.map_err(|error| Failure::because("a lane", error))??;
        }
        Ok(())
    }
}

impl Recorder {
    async fn work(self, mut lines: mpsc::Receiver<Line>) -> Result<(), Failure> {
        while let Some(line) = lines.recv().await {
            if self.ledger.open().has(&line) {
                let reason = "turn: a line before is the same turn of this conversation".to_owned();
                self.reject(&Rejected { line: line.number, reason })?;
                continue;
            }
            let request = line.request();
            let begun = Instant::now();
            let mut asked = 0;
            let answer = patiently(|| {
                asked += 1;
                let (mut conversations, request) = (self.channel.conversations(), request.clone());
                async move { conversations.record_message(request).await }
            })
            .await;
            match answer {
                Ok(answer) => {
                    let taken = Taken { took: begun.elapsed(), asked_again: asked > 1 };
                    self.ledger.open().recorded(&line, &answer, taken);
                    self.progress.one_more();
                    if self.resolves && line.closes() {
                        self.resolve(&line, answer.conversation.unwrap_or_default().conversation_id).await;
                    }
                }
                // A rule that could not be known here: it is about this line only.
                Err(status) if status.code() == Code::InvalidArgument => {
                    self.reject(&Rejected { line: line.number, reason: refusal(&status) })?;
                }
                Err(status) => {
                    return Err(Failure::call(format_args!("message {}", line.external_id()), &status));
                }
            }
        }
        Ok(())
    }

    /// Resolves a conversation in which the customer said goodbye. One that is not is tried again in the end.
    async fn resolve(&self, line: &Line, conversation_id: String) {
        let request = pb::ResolveConversationRequest { conversation_id, etag: String::new() };
        let answer = patiently(|| {
            let (mut conversations, request) = (self.channel.conversations(), request.clone());
            async move { conversations.resolve_conversation(request).await }
        });
        if answer.await.is_ok() {
            self.ledger.open().resolved_early(&line.conversation);
        }
    }

    /// Counts a line that is not recorded, and says why.
    ///
    /// # Errors
    /// [`Failure`] when the replay is strict.
    pub(super) fn reject(&self, bad: &Rejected) -> Result<(), Failure> {
        if self.strict {
            return Err(Failure(bad.to_string()));
        }
        self.ledger.open().rejected += 1;
        self.progress.say(bad);
        Ok(())
    }
}

/// What the API says is wrong, in the words of the file.
fn refusal(status: &Status) -> String {
    let wrong = status.get_details_bad_request().map(|wrong| wrong.field_violations).unwrap_or_default();
    match wrong.first() {
        Some(wrong) => format!("{}: {}", in_the_file(&wrong.field), wrong.description),
        None => status.message().to_owned(),
    }
}
