//! Decisions on who gets a conversation, and the orders of people.

use std::collections::HashMap;

use kernel::AgentId;
use proto::routing::v1 as pb;
use proto::routing::v1::assign_conversation_request::Target as Said;
use rpc::Fault;
use rpc::convert::id_of;

use super::workflow::strategy;
use super::{agent, time};
use crate::app::assign::Target;
use crate::app::explain::Explained;
use crate::domain::agent::Person;
use crate::domain::choose::Exclusion;
use crate::domain::decision::{Cause, Decision, Outcome};
use crate::domain::workflow::{Trace, Verdict};

/// Who is to have a conversation.
///
/// # Errors
/// INVALID_FIELD for an id that is none.
pub fn target(said: Option<&Said>) -> Result<Target, Fault> {
    match said {
        Some(Said::AgentId(id)) => id_of("agent_id", id).map(Target::Agent),
        Some(Said::TeamId(id)) => id_of("team_id", id).map(Target::Team),
        Some(Said::Nobody(_)) => Ok(Target::Nobody),
        None => Err(Fault::invalid("target", "is needed")),
    }
}

/// A page of decisions.
#[must_use]
pub fn explained(it: Explained) -> pb::ExplainAssignmentResponse {
    let Explained { decisions, people, next } = it;
    pb::ExplainAssignmentResponse {
        decisions: decisions.into_iter().map(|it| decision(it, &people)).collect(),
        next_page_token: next,
    }
}

fn decision(it: Decision, people: &HashMap<AgentId, Person>) -> pb::Decision {
    let person = |id: AgentId| people.get(&id).cloned().map(agent::person);
    let summary =
        it.summary(|id| people.get(&id).map_or_else(|| "an agent".to_owned(), |who| who.name().to_owned()));
    let candidates = it.candidates.iter().map(|candidate| pb::Candidate {
        agent: person(candidate.agent),
        exclusion: candidate.exclusion.map_or(pb::Exclusion::Unspecified, exclusion).into(),
        open_conversation_count: candidate.open,
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
    }
}

fn cause(it: Cause) -> pb::DecisionCause {
    match it {
        Cause::Workflow => pb::DecisionCause::Workflow,
        Cause::Manual => pb::DecisionCause::Manual,
        Cause::Queue => pb::DecisionCause::Queue,
        Cause::BlockedContact => pb::DecisionCause::BlockedContact,
    }
}

fn outcome(it: Outcome) -> pb::DecisionOutcome {
    match it {
        Outcome::Assigned => pb::DecisionOutcome::Assigned,
        Outcome::Queued => pb::DecisionOutcome::Queued,
        Outcome::Unrouted => pb::DecisionOutcome::Unrouted,
        Outcome::Unassigned => pb::DecisionOutcome::Unassigned,
        Outcome::Resolved => pb::DecisionOutcome::Resolved,
    }
}

fn exclusion(it: Exclusion) -> pb::Exclusion {
    match it {
        Exclusion::Offline => pb::Exclusion::Offline,
        Exclusion::Away => pb::Exclusion::Away,
        Exclusion::LeaseExpired => pb::Exclusion::LeaseExpired,
        Exclusion::NotTheirTurn => pb::Exclusion::NotTheirTurn,
    }
}

fn trace(it: Trace) -> pb::WorkflowTrace {
    let verdict = match it.verdict {
        Verdict::Matched => pb::WorkflowVerdict::Matched,
        Verdict::NotMatched => pb::WorkflowVerdict::NotMatched,
        Verdict::Failed => pb::WorkflowVerdict::Failed,
    };
    pb::WorkflowTrace {
        workflow_id: it.workflow.to_string(),
        name: it.name,
        verdict: verdict.into(),
        detail: it.detail,
    }
}
