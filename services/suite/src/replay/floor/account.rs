//! What was decided on the conversations of the replay: how fast, how evenly, and why those wait that wait.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::stream::{self, TryStreamExt};
use kernel::Timestamp;
use proto::routing::v1 as pb;
use rpc::convert::time_of;
use serde::Serialize;

use super::super::ledger::Entry;
use super::super::report::{round, within};
use super::people::Floor;
use super::work::Shift;
use crate::client::patiently;
use crate::counted::counted;
use crate::failure::Failure;

/// Why somebody could not take a conversation, from the least to the most that is in the way. The least of all candidates is why it
/// waits.
const REASONS: [pb::Exclusion; 8] = [
    pb::Exclusion::NoCapacity,
    pb::Exclusion::OffersOpen,
    pb::Exclusion::Refused,
    pb::Exclusion::RampingUp,
    pb::Exclusion::Away,
    pb::Exclusion::LeaseExpired,
    pb::Exclusion::Offline,
    pb::Exclusion::SkillMissing,
];

/// The decisions on the conversations that this run began, and what waits.
#[derive(Debug, Default, Serialize)]
pub(in crate::replay) struct Decided {
    pub(in crate::replay) decisions: u64,
    /// From the first to the last of them.
    pub(in crate::replay) decisions_per_second: f64,
    /// Conversations for which there was somebody at once.
    pub(in crate::replay) agent_at_once: u64,
    /// From a message that began one of these to the decision who gets it.
    pub(in crate::replay) to_agent_p50_ms: f64,
    pub(in crate::replay) to_agent_p99_ms: f64,
    /// Conversations that had to wait for somebody.
    pub(in crate::replay) waited: u64,
    /// Jain's index of how many each got, of agents who are good at the same; the least of all kinds of agents.
    pub(in crate::replay) fairness: f64,
    pub(in crate::replay) offers_accepted: u64,
    pub(in crate::replay) offers_rejected: u64,
    pub(in crate::replay) offers_late: u64,
    /// Conversations that wait in the end, by why.
    pub(in crate::replay) queued_for: BTreeMap<String, u64>,
    /// Conversations that nobody has in the end and of which no decision says why.
    pub(in crate::replay) unexplained: u64,
}

impl Decided {
    /// For people.
    pub(in crate::replay) fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "{}, {} a second; fairness {} among equals",
                counted(self.decisions, "decision", "decisions"),
                self.decisions_per_second,
                self.fairness
            ),
            format!(
                "{} had somebody at once, half within {} ms, 99 of 100 within {} ms; {} had to wait",
                counted(self.agent_at_once, "conversation", "conversations"),
                self.to_agent_p50_ms,
                self.to_agent_p99_ms,
                self.waited
            ),
        ];
        if self.offers_accepted + self.offers_rejected + self.offers_late > 0 {
            lines.push(format!(
                "{} accepted, {} rejected, {} answered too late",
                counted(self.offers_accepted, "offer", "offers"),
                self.offers_rejected,
                self.offers_late
            ));
        }
        for (reason, count) in &self.queued_for {
            lines.push(format!(
                "{} for {reason}",
                counted(*count, "conversation waits", "conversations wait")
            ));
        }
        if self.unexplained > 0 {
            let wait = counted(self.unexplained, "conversation waits", "conversations wait");
            lines.push(format!("{wait} and no decision says why"));
        }
        lines
    }
}

/// Reads the decisions on these conversations, of which `waiting` are open and nobody's.
pub(in crate::replay) async fn decided(
    shift: &Shift,
    entries: &[Entry],
    waiting: &HashSet<String>,
    at_once: usize,
) -> Result<Decided, Failure> {
    let floor = shift.floor();
    let read: Vec<(&Entry, Vec<pb::Decision>)> = stream::iter(entries.iter().map(Ok))
        .map_ok(
            |entry| async move { Ok::<_, Failure>((entry, decisions(floor, &entry.conversation_id).await?)) },
        )
        .try_buffer_unordered(at_once)
        .try_collect()
        .await?;
    let mut tally = Tally::default();
    let mut decided = Decided {
        offers_accepted: shift.answers.accepted.load(Ordering::Relaxed),
        offers_rejected: shift.answers.rejected.load(Ordering::Relaxed),
        offers_late: shift.answers.late.load(Ordering::Relaxed),
        ..Decided::default()
    };
    for (entry, decisions) in &read {
        if entry.created.is_some() {
            tally.add(entry, decisions);
        }
        if waiting.contains(&entry.conversation_id) {
            match decisions.first().and_then(reason) {
                Some(reason) => *decided.queued_for.entry(reason).or_default() += 1,
                None => decided.unexplained += 1,
            }
        }
    }
    tally.told(floor, &mut decided);
    Ok(decided)
}

/// The decisions on a conversation, newest first.
async fn decisions(floor: &Floor, conversation_id: &str) -> Result<Vec<pb::Decision>, Failure> {
    let mut found = Vec::new();
    let mut request = pb::ExplainAssignmentRequest {
        conversation_id: conversation_id.to_owned(),
        page_size: 200,
        ..Default::default()
    };
    loop {
        let page = patiently(|| {
            let (mut assignments, request) = (floor.admin.assignments(), request.clone());
            async move { assignments.explain_assignment(request).await }
        })
        .await
        .map_err(|status| Failure::call(format_args!("decisions on {conversation_id}"), &status))?;
        found.extend(page.decisions);
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

/// Why a conversation waits, as its latest decision says; `None` if that does not say so.
fn reason(latest: &pb::Decision) -> Option<String> {
    match latest.outcome() {
        pb::DecisionOutcome::Offered => {
            let offer = latest.offer.as_ref().filter(|it| it.state() == pb::OfferState::Open);
            offer.map(|_| "OFFERED".to_owned())
        }
        pb::DecisionOutcome::Queued => {
            let has = |reason: &&pb::Exclusion| latest.candidates.iter().any(|it| it.exclusion() == **reason);
            let reason = REASONS.iter().find(has)?;
            Some(reason.as_str_name().trim_start_matches("EXCLUSION_").to_owned())
        }
        _ => None,
    }
}

#[derive(Default)]
struct Tally {
    times: Vec<Timestamp>,
    to_agent: Vec<Duration>,
    waited: u64,
    got: HashMap<String, u64>,
}

impl Tally {
    fn add(&mut self, entry: &Entry, decisions: &[pb::Decision]) {
        let time = |it: &pb::Decision| time_of("decide_time", it.decide_time.as_ref()?).ok();
        self.times.extend(decisions.iter().filter_map(time));
        for it in decisions.iter().filter(|it| it.outcome() == pb::DecisionOutcome::Assigned) {
            let subject = it.chosen.as_ref().map(|chosen| chosen.subject.clone()).unwrap_or_default();
            *self.got.entry(subject).or_default() += 1;
        }
        let Some(first) = decisions.last() else { return };
        if first.outcome() == pb::DecisionOutcome::Queued {
            self.waited += 1;
        } else if let (Some(decided), Some(begun)) = (time(first), entry.begun) {
            self.to_agent.push(decided.since(begun));
        }
    }

    fn told(mut self, floor: &Floor, decided: &mut Decided) {
        decided.decisions = self.times.len() as u64;
        let span = self.times.iter().max().zip(self.times.iter().min());
        let span = span.map_or(0.0, |(last, first)| last.since(*first).as_secs_f64());
        decided.decisions_per_second = round(self.times.len() as f64 / span.max(1e-3));
        decided.agent_at_once = self.to_agent.len() as u64;
        decided.waited = self.waited;
        self.to_agent.sort_unstable();
        decided.to_agent_p50_ms = within(&self.to_agent, 0.50);
        decided.to_agent_p99_ms = within(&self.to_agent, 0.99);
        let kinds = floor.kinds();
        let fairness = (0..kinds).map(|kind| {
            let equals = floor.staff.iter().skip(kind).step_by(kinds);
            let got = equals.map(|it| self.got.get(&it.agent.subject).copied().unwrap_or_default());
            jain(&got.collect::<Vec<_>>())
        });
        decided.fairness = round(fairness.fold(1.0, f64::min));
    }
}

/// Jain's index: 1 where all have the same, one part of as many as there are where one has everything.
fn jain(got: &[u64]) -> f64 {
    let sum: f64 = got.iter().map(|count| *count as f64).sum();
    let squares: f64 = got.iter().map(|count| (*count as f64).powi(2)).sum();
    if squares == 0.0 { 1.0 } else { sum * sum / (got.len() as f64 * squares) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // P13 R19
    #[test]
    fn fairness_is_one_where_all_have_the_same_and_a_share_where_one_has_everything() {
        assert_eq!((jain(&[]), jain(&[0, 0]), jain(&[7, 7, 7])), (1.0, 1.0, 1.0));
        assert_eq!(jain(&[9, 0, 0, 0]), 0.25);
        assert!((jain(&[10, 9, 11]) - 0.9934).abs() < 1e-4);
    }

    // P13
    #[test]
    fn a_conversation_waits_for_the_least_that_is_in_anybodys_way() {
        let candidate = |why: pb::Exclusion| pb::Candidate { exclusion: why.into(), ..Default::default() };
        let mut latest = pb::Decision {
            outcome: pb::DecisionOutcome::Queued.into(),
            candidates: vec![
                candidate(pb::Exclusion::SkillMissing),
                candidate(pb::Exclusion::NoCapacity),
                candidate(pb::Exclusion::Offline),
            ],
            ..Default::default()
        };
        assert_eq!(reason(&latest).as_deref(), Some("NO_CAPACITY"));
        latest.candidates.clear();
        assert_eq!(reason(&latest), None, "nobody was looked at");
        latest.set_outcome(pb::DecisionOutcome::Offered);
        let offer = |state: pb::OfferState| Some(pb::DecisionOffer { state: state.into(), ..Default::default() });
        latest.offer = offer(pb::OfferState::Open);
        assert_eq!(reason(&latest).as_deref(), Some("OFFERED"));
        latest.offer = offer(pb::OfferState::Rejected);
        assert_eq!(reason(&latest), None, "it is over");
        latest.set_outcome(pb::DecisionOutcome::Unrouted);
        assert_eq!(reason(&latest), None);
    }
}
