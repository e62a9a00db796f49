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
    /// The same of how many each got for each that they could expect: of what one of their kind got while n of them could have taken it,
    /// each of these n could expect one n-th.
    pub(in crate::replay) fairness_of_expected: f64,
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
                "{}, {} a second; fairness {} among equals, {} of what they could expect",
                counted(self.decisions, "decision", "decisions"),
                self.decisions_per_second,
                self.fairness,
                self.fairness_of_expected
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
    let kinds = Kinds::of(floor);
    let mut tally = Tally::default();
    let mut decided = Decided {
        offers_accepted: shift.answers.accepted.load(Ordering::Relaxed),
        offers_rejected: shift.answers.rejected.load(Ordering::Relaxed),
        offers_late: shift.answers.late.load(Ordering::Relaxed),
        ..Decided::default()
    };
    for (entry, decisions) in &read {
        if entry.created.is_some() {
            tally.add(entry, decisions, &kinds);
        }
        if waiting.contains(&entry.conversation_id) {
            match decisions.first().and_then(reason) {
                Some(reason) => *decided.queued_for.entry(reason).or_default() += 1,
                None => decided.unexplained += 1,
            }
        }
    }
    tally.told(&kinds, &mut decided);
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

/// Whether a candidate could have taken it.
fn could_take(candidate: &pb::Candidate) -> bool {
    use pb::Exclusion::{Busier, NotTheLastAgent, NotTheirTurn, Unspecified};
    matches!(candidate.exclusion(), Unspecified | Busier | NotTheLastAgent | NotTheirTurn)
}

/// The subjects of the agents, by what they are good at.
struct Kinds(Vec<Vec<String>>);

impl Kinds {
    fn of(floor: &Floor) -> Self {
        let kinds = floor.kinds();
        let equals = |kind| floor.staff.iter().skip(kind).step_by(kinds).map(|it| it.agent.subject.clone());
        Self((0..kinds).map(|kind| equals(kind).collect()).collect())
    }

    /// Who is good at the same as somebody, they themselves included.
    fn equals(&self, subject: &str) -> &[String] {
        let of = |equals: &&Vec<String>| equals.iter().any(|it| it == subject);
        self.0.iter().find(of).map_or(&[][..], Vec::as_slice)
    }

    /// The least of an index over each kind.
    fn least(&self, index: impl Fn(&[String]) -> f64) -> f64 {
        round(self.0.iter().map(|equals| index(equals)).fold(1.0, f64::min))
    }
}

/// What came to an agent by decisions that looked at several.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    got: f64,
    expected: f64,
}

#[derive(Default)]
struct Tally {
    times: Vec<Timestamp>,
    to_agent: Vec<Duration>,
    waited: u64,
    got: HashMap<String, u64>,
    shares: HashMap<String, Share>,
}

impl Tally {
    /// Who got it, and who of their kind could have.
    fn share(&mut self, decision: &pb::Decision, kinds: &Kinds) {
        use pb::DecisionOutcome::{Assigned, Offered};
        let decides =
            matches!(decision.outcome(), Assigned | Offered) && decision.cause() != pb::DecisionCause::Offer;
        let Some(chosen) = decision.chosen.as_ref().filter(|_| decides) else { return };
        let equals = kinds.equals(&chosen.subject);
        let candidates = decision.candidates.iter().filter(|it| could_take(it));
        let subjects = candidates.filter_map(|it| it.agent.as_ref()).map(|it| &it.subject);
        let able: Vec<&String> = subjects.filter(|it| equals.contains(*it)).collect();
        for subject in &able {
            self.shares.entry((*subject).clone()).or_default().expected += 1.0 / able.len() as f64;
        }
        if !able.is_empty() {
            self.shares.entry(chosen.subject.clone()).or_default().got += 1.0;
        }
    }

    fn add(&mut self, entry: &Entry, decisions: &[pb::Decision], kinds: &Kinds) {
        for it in decisions {
            self.share(it, kinds);
        }
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

    fn told(mut self, kinds: &Kinds, decided: &mut Decided) {
        decided.decisions = self.times.len() as u64;
        let span = self.times.iter().max().zip(self.times.iter().min());
        let span = span.map_or(0.0, |(last, first)| last.since(*first).as_secs_f64());
        decided.decisions_per_second = round(self.times.len() as f64 / span.max(1e-3));
        decided.agent_at_once = self.to_agent.len() as u64;
        decided.waited = self.waited;
        self.to_agent.sort_unstable();
        decided.to_agent_p50_ms = within(&self.to_agent, 0.50);
        decided.to_agent_p99_ms = within(&self.to_agent, 0.99);
        decided.fairness = kinds.least(|equals| {
            let got = equals.iter().map(|it| self.got.get(it).copied().unwrap_or_default() as f64);
            jain(&got.collect::<Vec<_>>())
        });
        decided.fairness_of_expected = kinds.least(|equals| {
            let shares = equals.iter().filter_map(|it| self.shares.get(it)).filter(|it| it.expected > 0.0);
            jain(&shares.map(|it| it.got / it.expected).collect::<Vec<_>>())
        });
    }
}

/// Jain's index: 1 where all have the same, one part of as many as there are where one has everything.
fn jain(got: &[f64]) -> f64 {
    let sum: f64 = got.iter().sum();
    let squares: f64 = got.iter().map(|count| count.powi(2)).sum();
    if squares == 0.0 { 1.0 } else { sum * sum / (got.len() as f64 * squares) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // P13 R19
    #[test]
    fn fairness_is_one_where_all_have_the_same_and_a_share_where_one_has_everything() {
        assert_eq!((jain(&[]), jain(&[0.0, 0.0]), jain(&[7.0, 7.0, 7.0])), (1.0, 1.0, 1.0));
        assert_eq!(jain(&[9.0, 0.0, 0.0, 0.0]), 0.25);
        assert!((jain(&[10.0, 9.0, 11.0]) - 0.9934).abs() < 1e-4);
    }

    // P13 R19
    #[test]
    fn what_an_agent_could_expect_is_what_their_kind_got_while_they_could_take_it() {
        let kinds = Kinds(vec![vec!["ana".into(), "ben".into()], vec!["cem".into()]]);
        let person = |subject: &str| pb::Person { subject: subject.into(), ..Default::default() };
        let candidate = |subject: &str, exclusion: pb::Exclusion| pb::Candidate {
            agent: Some(person(subject)),
            exclusion: exclusion.into(),
            ..Default::default()
        };
        let given = |chosen: &str, candidates: Vec<pb::Candidate>| pb::Decision {
            outcome: pb::DecisionOutcome::Assigned.into(),
            cause: pb::DecisionCause::Queue.into(),
            chosen: Some(person(chosen)),
            candidates,
            ..Default::default()
        };
        let (took, other) = (pb::Exclusion::Unspecified, pb::Exclusion::Busier);
        let absent = pb::Exclusion::Offline;
        let mut tally = Tally::default();
        for decision in [
            given("ana", vec![candidate("ana", took), candidate("ben", absent), candidate("cem", other)]),
            given("ana", vec![candidate("ana", took), candidate("ben", other), candidate("cem", other)]),
            given("ben", vec![candidate("ana", other), candidate("ben", took), candidate("cem", other)]),
        ] {
            tally.share(&decision, &kinds);
        }
        // An answer to an offer decides nothing anew.
        tally.share(&pb::Decision { cause: pb::DecisionCause::Offer.into(), ..given("ben", vec![]) }, &kinds);
        let (ana, ben) = (tally.shares["ana"], tally.shares["ben"]);
        assert_eq!((ana.got, ana.expected, ben.got, ben.expected), (2.0, 2.0, 1.0, 1.0));
        assert!(!tally.shares.contains_key("cem"));
        let mut decided = Decided::default();
        tally.told(&kinds, &mut decided);
        assert_eq!(decided.fairness_of_expected, 1.0, "though one got twice as many");
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
        let offer =
            |state: pb::OfferState| Some(pb::DecisionOffer { state: state.into(), ..Default::default() });
        latest.offer = offer(pb::OfferState::Open);
        assert_eq!(reason(&latest).as_deref(), Some("OFFERED"));
        latest.offer = offer(pb::OfferState::Rejected);
        assert_eq!(reason(&latest), None, "it is over");
        latest.set_outcome(pb::DecisionOutcome::Unrouted);
        assert_eq!(reason(&latest), None);
    }
}
