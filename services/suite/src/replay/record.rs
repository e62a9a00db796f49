//! Records messages: many conversations at once, each in its own order.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use indicatif::ProgressBar;
use proto::routing::v1 as pb;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::input::Line;
use super::ledger::Ledger;
use crate::client::{Session, patiently};
use crate::failure::Failure;

/// Lines that may wait in a lane.
const LANE_DEPTH: usize = 16;

/// As many callers as asked for. A conversation always takes the same lane, so its messages keep their order.
pub(super) struct Lanes {
    lanes: Vec<mpsc::Sender<Line>>,
    workers: JoinSet<Result<(), Failure>>,
}

impl Lanes {
    pub(super) fn start(
        count: usize,
        channel: &Session,
        ledger: &Arc<Ledger>,
        progress: &ProgressBar,
    ) -> Self {
        let mut workers = JoinSet::new();
        let lanes = (0..count)
            .map(|_| {
                let (lane, lines) = mpsc::channel(LANE_DEPTH);
                workers.spawn(work(lines, channel.clone(), Arc::clone(ledger), progress.clone()));
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
        self.lanes.clear();
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

async fn work(
    mut lines: mpsc::Receiver<Line>,
    channel: Session,
    ledger: Arc<Ledger>,
    progress: ProgressBar,
) -> Result<(), Failure> {
    while let Some(line) = lines.recv().await {
        let request = pb::RecordMessageRequest {
            channel: line.channel.clone(),
            external_id: line.external_id(),
            direction: pb::Direction::Inbound.into(),
            conversation_external_id: line.conversation.clone(),
            contact_address: line.contact.clone(),
            source: line.source.clone(),
            text: line.text.clone(),
            ..Default::default()
        };
        let begun = Instant::now();
        let answer = patiently(|| {
            let (mut conversations, request) = (channel.conversations(), request.clone());
            async move { conversations.record_message(request).await }
        })
        .await
        .map_err(|status| Failure::call(format_args!("message {}", line.external_id()), &status))?;
        ledger.open().recorded(&line, &answer, begun.elapsed());
        progress.inc(1);
    }
    Ok(())
}
