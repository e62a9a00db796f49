//! One claimed batch on the wire, and what came of each event.

use std::collections::BTreeMap;
use std::time::Duration;

use db::{DbError, Tx};
use futures::{FutureExt, StreamExt, stream};
use kernel::OrgId;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use uuid::Uuid;

use crate::backoff;
use crate::deliver::{Deliver, Outcome, Undelivered};
use crate::queue::{self, Claimed};
use crate::relay::RelaySettings;
use crate::trace;

/// Organizations served at the same time.
const CALLS_AT_ONCE: usize = 8;

/// A reason is a code or a name; whatever is longer is not meant to be stored.
const REASON_LENGTH: usize = 200;

pub(crate) struct Round<'a> {
    source: &'static str,
    target: &'static str,
    deliver: &'a dyn Deliver,
    settings: &'a RelaySettings,
    /// Nothing is sent later than this: the claim must outlive the call.
    ends: Instant,
}

/// What came of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Done,
    Refused { attempts_before: i64, reason: String },
    Unreachable { reason: String },
}

/// What came of all events of a claim, by position in the outbox.
#[derive(Debug, Default)]
pub(crate) struct Verdicts(Vec<(i64, Verdict)>);

impl<'a> Round<'a> {
    pub(crate) fn new(
        source: &'static str,
        target: &'static str,
        deliver: &'a dyn Deliver,
        settings: &'a RelaySettings,
    ) -> Self {
        Round { source, target, deliver, settings, ends: Instant::now() + settings.lease.mul_f64(0.8) }
    }

    /// Sends everything claimed, one call per organization and size limit.
    pub(crate) async fn send(&self, claimed: &[Claimed]) -> Verdicts {
        let mut calls = Vec::new();
        for (org, part) in parts(claimed, self.settings.batch_bytes) {
            calls.push(self.part(org, part).boxed());
        }
        let sent: Vec<Vec<(i64, Verdict)>> =
            stream::iter(calls).buffer_unordered(CALLS_AT_ONCE).collect().await;
        Verdicts(sent.into_iter().flatten().collect())
    }

    async fn part(&self, org: &OrgId, part: Vec<&Claimed>) -> Vec<(i64, Verdict)> {
        match self.call(org, &part).await {
            Err(Undelivered::Refused(_)) if part.len() > 1 => {
                // One bad event must not take the others with it.
                let mut verdicts = Vec::with_capacity(part.len());
                for event in part {
                    verdicts.extend(judge(&[event], self.call(org, &[event]).await));
                }
                verdicts
            }
            answer => judge(&part, answer),
        }
    }

    async fn call(&self, org: &OrgId, part: &[&Claimed]) -> Result<Vec<Outcome>, Undelivered> {
        let deadline = self.ends.min(Instant::now() + self.settings.call);
        let batch = part.iter().map(|event| event.outgoing()).collect();
        let traceparents = part.iter().map(|event| event.traceparent.as_deref());
        let span = trace::delivery(self.source, self.target, traceparents);
        // The call is inside the future, so that what it does before its first await is in the span as well.
        let delivery = async { self.deliver.deliver(org, batch).await }.instrument(span);
        match timeout_at(deadline, delivery).await {
            Ok(Ok(outcomes)) if outcomes.len() != part.len() => {
                Err(Undelivered::Unreachable("the answer has another length than the batch".to_owned()))
            }
            Ok(answer) => answer,
            Err(_elapsed) => Err(Undelivered::Unreachable("no answer in time".to_owned())),
        }
    }
}

/// Cuts a claim by organization, keeping the order, and by size.
fn parts(claimed: &[Claimed], bytes: usize) -> Vec<(&OrgId, Vec<&Claimed>)> {
    let mut open: BTreeMap<&OrgId, (usize, Vec<&Claimed>)> = BTreeMap::new();
    let mut full = Vec::new();
    for event in claimed {
        let (size, part) = open.entry(&event.org_id).or_default();
        if !part.is_empty() && *size + event.payload.len() > bytes {
            full.push((&event.org_id, std::mem::take(part)));
            *size = 0;
        }
        *size += event.payload.len();
        part.push(event);
    }
    full.extend(open.into_iter().map(|(org, (_, part))| (org, part)));
    full
}

fn judge(part: &[&Claimed], answer: Result<Vec<Outcome>, Undelivered>) -> Vec<(i64, Verdict)> {
    let refused = |event: &Claimed, reason: String| Verdict::Refused {
        attempts_before: event.attempts,
        reason: short(reason),
    };
    match answer {
        Ok(outcomes) => part
            .iter()
            .zip(outcomes)
            .map(|(event, outcome)| {
                let verdict = match outcome {
                    Outcome::Done => Verdict::Done,
                    Outcome::Refused { reason } => refused(event, reason),
                };
                (event.seq, verdict)
            })
            .collect(),
        Err(Undelivered::Refused(reason)) => {
            part.iter().map(|event| (event.seq, refused(event, reason.clone()))).collect()
        }
        Err(Undelivered::Unreachable(reason)) => {
            let reason = short(reason);
            part.iter().map(|event| (event.seq, Verdict::Unreachable { reason: reason.clone() })).collect()
        }
    }
}

fn short(reason: String) -> String {
    if reason.len() <= REASON_LENGTH { reason } else { reason.chars().take(REASON_LENGTH).collect() }
}

impl Verdicts {
    pub(crate) fn any_unreachable(&self) -> bool {
        self.0.iter().any(|(_, verdict)| matches!(verdict, Verdict::Unreachable { .. }))
    }

    pub(crate) fn all_unreachable(&self) -> bool {
        self.0.iter().all(|(_, verdict)| matches!(verdict, Verdict::Unreachable { .. }))
    }

    pub(crate) fn first_reason(&self) -> &str {
        self.0
            .iter()
            .find_map(|(_, verdict)| match verdict {
                Verdict::Unreachable { reason } => Some(reason.as_str()),
                Verdict::Done | Verdict::Refused { .. } => None,
            })
            .unwrap_or_default()
    }

    /// Writes what came of a claim: the exceptions first, then everything that still carries the fence is done.
    pub(crate) async fn write(
        &self,
        tx: &mut Tx,
        fence: Uuid,
        unreachable_wait: Duration,
        source: &'static str,
        target: &'static str,
        attempts: u32,
    ) -> Result<(), DbError> {
        let (mut marked, mut refused, mut away) = (0, 0, Vec::new());
        for (seq, verdict) in &self.0 {
            match verdict {
                Verdict::Done => {}
                Verdict::Unreachable { .. } => away.push(*seq),
                Verdict::Refused { attempts_before, reason } => {
                    refused += 1;
                    marked += mark_refused(tx, fence, *seq, *attempts_before, attempts, reason).await?;
                }
            }
        }
        if !away.is_empty() {
            marked +=
                queue::mark_undelivered(tx, fence, &away, unreachable_wait, self.first_reason()).await?;
        }
        let done = queue::mark_done(tx, fence).await?;
        let (away, lost) = (away.len(), (self.0.len() as u64).saturating_sub(marked + done));
        tx.after_commit(move || count(source, target, done, refused, away, lost));
        Ok(())
    }
}

async fn mark_refused(
    tx: &mut Tx,
    fence: Uuid,
    seq: i64,
    attempts_before: i64,
    attempts: u32,
    reason: &str,
) -> Result<u64, DbError> {
    let made = u32::try_from(attempts_before + 1).unwrap_or(u32::MAX);
    if made >= attempts {
        tracing::warn!(seq, attempts = made, reason, "event given up: it is a dead letter now");
        return queue::mark_dead(tx, fence, seq, reason).await;
    }
    // The fence is a fresh id; its last byte is as random as jitter needs.
    let wait = backoff::wait(made, backoff::REFUSED_CAP, fence.as_bytes()[15]);
    queue::mark_refused(tx, fence, seq, wait, reason).await
}

fn count(source: &'static str, target: &'static str, done: u64, refused: u64, away: usize, lost: u64) {
    let labels = [("source", source), ("target", target)];
    metrics::counter!("relay_delivered_total", &labels).increment(done);
    let failed = [("refused", refused), ("unreachable", away as u64), ("fenced_off", lost)];
    for (reason, events) in failed {
        if events > 0 {
            let labels = [("source", source), ("target", target), ("reason", reason)];
            metrics::counter!("relay_failed_total", &labels).increment(events);
        }
    }
    if lost > 0 {
        tracing::warn!(
            source,
            target_peer = target,
            events = lost,
            "claim lost while delivering: fenced off"
        );
    }
}
