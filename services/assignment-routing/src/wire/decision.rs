//! Decisions on who gets a conversation.

use std::collections::HashMap;

use kernel::AgentId;
use proto::routing::v1 as pb;

use super::sharing::{required_skills, strategy};
use super::{agent, narrow, offer, time};
use crate::app::explain::Explained;
use crate::domain::agent::Person;
use crate::domain::choose::Exclusion;
use crate::domain::decision::{Cause, Decision, Outcome};
use crate::domain::offer::{Offer, OfferId};
use crate::domain::sharing::Relaxation;
use crate::domain::workflow::{Trace, Verdict};

/// A page of decisions.
#[must_use]
pub fn explained(it: Explained) -> pb::ExplainAssignmentResponse {
    let Explained { decisions, people, offers, next } = it;
    pb::ExplainAssignmentResponse {
        decisions: decisions.into_iter().map(|it| decision(it, &people, &offers)).collect(),
        next_page_token: next,
    }
}

fn decision(
    it: Decision,
    people: &HashMap<AgentId, Person>,
    offers: &HashMap<OfferId, Offer>,
) -> pb::Decision {
    let person = |id: AgentId| people.get(&id).cloned().map(agent::person);
    let name = |id| people.get(&id).map_or_else(|| "an agent".to_owned(), |who| who.name().to_owned());
    let mut summary = it.summary(name);
    let asked = it.offer.filter(|_| it.outcome == Outcome::Offered).and_then(|id| offers.get(&id));
    if let Some(offer) = asked {
        summary = format!("{summary} {}", offer.summary(&name(offer.agent)));
    }
    let candidates = it.candidates.iter().map(|candidate| pb::Candidate {
        agent: person(candidate.agent),
        exclusion: candidate.exclusion.map_or(pb::Exclusion::Unspecified, exclusion).into(),
        open_conversation_count: candidate.open,
        open_units: narrow(i64::from(candidate.open) + candidate.extra_units),
        capacity_units: narrow(candidate.capacity),
    });
    pb::Decision {
        decision_id: it.id.to_string(),
        conversation_id: it.conversation.to_string(),
        decide_time: time(it.decide_time),
        cause: cause(it.cause).into(),
        outcome: outcome(it.outcome).into(),
        chosen: it.chosen.and_then(person),
        team_id: it.team.map(|team| team.to_string()).unwrap_or_default(),
        strategy: it.strategy.map_or(pb::Strategy::Unspecified, strategy).into(),
        candidates: candidates.collect(),
        decided_by: it.decided_by.and_then(person),
        workflows: it.workflows.into_iter().map(trace).collect(),
        summary,
        units: narrow(it.units),
        required_skills: required_skills(it.required_skills),
        skill_relaxation: relaxation(it.relaxation).into(),
        over_capacity: it.over_capacity,
        offer: asked.map(offer::of_decision),
        previous_assignee: it.left.and_then(|left| person(left.holder)),
    }
}

fn cause(it: Cause) -> pb::DecisionCause {
    match it {
        Cause::Workflow => pb::DecisionCause::Workflow,
        Cause::Manual => pb::DecisionCause::Manual,
        Cause::Queue => pb::DecisionCause::Queue,
        Cause::BlockedContact => pb::DecisionCause::BlockedContact,
        Cause::Offer => pb::DecisionCause::Offer,
        Cause::AgentOffline => pb::DecisionCause::AgentOffline,
        Cause::NoReply => pb::DecisionCause::NoReply,
    }
}

fn outcome(it: Outcome) -> pb::DecisionOutcome {
    match it {
        Outcome::Assigned => pb::DecisionOutcome::Assigned,
        Outcome::Queued => pb::DecisionOutcome::Queued,
        Outcome::Unrouted => pb::DecisionOutcome::Unrouted,
        Outcome::Unassigned => pb::DecisionOutcome::Unassigned,
        Outcome::Resolved => pb::DecisionOutcome::Resolved,
        Outcome::Unchanged => pb::DecisionOutcome::Unchanged,
        Outcome::Offered => pb::DecisionOutcome::Offered,
    }
}

fn exclusion(it: Exclusion) -> pb::Exclusion {
    match it {
        Exclusion::Offline => pb::Exclusion::Offline,
        Exclusion::Away => pb::Exclusion::Away,
        Exclusion::LeaseExpired => pb::Exclusion::LeaseExpired,
        Exclusion::NotTheirTurn => pb::Exclusion::NotTheirTurn,
        Exclusion::NoCapacity => pb::Exclusion::NoCapacity,
        Exclusion::SkillMissing => pb::Exclusion::SkillMissing,
        Exclusion::RampingUp => pb::Exclusion::RampingUp,
        Exclusion::Busier => pb::Exclusion::Busier,
        Exclusion::NotTheLastAgent => pb::Exclusion::NotTheLastAgent,
        Exclusion::Refused => pb::Exclusion::Refused,
        Exclusion::OffersOpen => pb::Exclusion::OffersOpen,
    }
}

fn relaxation(it: Relaxation) -> pb::SkillRelaxation {
    match it {
        Relaxation::Nothing => pb::SkillRelaxation::Unspecified,
        Relaxation::Levels => pb::SkillRelaxation::Levels,
        Relaxation::Skills => pb::SkillRelaxation::Skills,
    }
}

/// What became of a workflow.
#[must_use]
pub fn verdict(it: Verdict) -> pb::WorkflowVerdict {
    match it {
        Verdict::Matched => pb::WorkflowVerdict::Matched,
        Verdict::NotMatched => pb::WorkflowVerdict::NotMatched,
        Verdict::Failed => pb::WorkflowVerdict::Failed,
    }
}

fn trace(it: Trace) -> pb::WorkflowTrace {
    pb::WorkflowTrace {
        workflow_id: it.workflow.to_string(),
        name: it.name,
        verdict: verdict(it.verdict).into(),
        detail: it.detail,
    }
}
