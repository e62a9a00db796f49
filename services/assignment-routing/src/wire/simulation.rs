//! What a draft of the workflows would make of past conversations.

use std::collections::HashMap;

use kernel::WorkflowId;
use prost::Message as _;
use proto::routing::v1 as pb;
use rpc::Fault;
use rpc::convert::time_of;

use super::conversation::priority;
use super::sharing::strategy;
use super::workflow::new_workflow;
use super::{decision, time};
use crate::app::simulate::{Differing, Simulated, Trial};
use crate::domain::ruleset::Plan;
use crate::domain::workflow::Verdict;

/// A draft and what it is tried on.
///
/// # Errors
/// INVALID_FIELD for an action or a time that cannot be read, a range that ends before it begins.
pub fn trial(it: pb::SimulateWorkflowsRequest) -> Result<Trial, Fault> {
    let said = pb::SimulateWorkflowsRequest { page_size: 0, page_token: String::new(), ..it.clone() }
        .encode_to_vec();
    let from = it.start_time.as_ref().ok_or_else(|| Fault::invalid("start_time", "is needed"))?;
    let from = time_of("start_time", from)?;
    let until = it.end_time.as_ref().map(|until| time_of("end_time", until)).transpose()?;
    if until.is_some_and(|until| until < from) {
        return Err(Fault::invalid("end_time", "must not be before start_time"));
    }
    let draft = it.workflows.into_iter().enumerate();
    let draft = draft.map(|(index, spec)| new_workflow(&format!("workflows[{index}]"), spec));
    Ok(Trial { draft: draft.collect::<Result<_, _>>()?, from, until, said })
}

/// A page of what would be different.
#[must_use]
pub fn simulated(it: Simulated) -> pb::SimulateWorkflowsResponse {
    let places: HashMap<WorkflowId, i32> = it.draft.iter().map(|workflow| workflow.id).zip(0..).collect();
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    pb::SimulateWorkflowsResponse {
        changed: it.changed.into_iter().map(|it| differing(it, &places)).collect(),
        looked_at_count: count(it.looked_at),
        failed_count: count(it.failed),
        next_page_token: it.next,
    }
}

fn differing(it: Differing, places: &HashMap<WorkflowId, i32>) -> pb::SimulatedConversation {
    pb::SimulatedConversation {
        conversation_id: it.conversation.to_string(),
        create_time: time(it.create_time),
        present: Some(outcome(it.present, places)),
        draft: Some(outcome(it.draft, places)),
    }
}

fn outcome(plan: Plan, places: &HashMap<WorkflowId, i32>) -> pb::SimulatedOutcome {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let looked_at = plan.traces.into_iter().filter(|trace| trace.verdict != Verdict::NotMatched);
    let workflows = looked_at.map(|trace| {
        let place = places.get(&trace.workflow).copied();
        pb::SimulatedWorkflow {
            workflow_id: if place.is_some() { String::new() } else { trace.workflow.to_string() },
            draft_index: place.unwrap_or(0),
            name: trace.name,
            verdict: decision::verdict(trace.verdict).into(),
            detail: trace.detail,
        }
    });
    let routed = plan.queue.as_ref();
    pb::SimulatedOutcome {
        team_id: routed.map(|routed| routed.team.to_string()).unwrap_or_default(),
        strategy: routed.map_or(pb::Strategy::Unspecified, |it| strategy(it.sharing.strategy)).into(),
        agent_id: plan.agent.map(|named| named.agent.to_string()).unwrap_or_default(),
        tags: plan.tags.into_iter().collect(),
        priority: priority(plan.priority).into(),
        notification_count: count(plan.notices.len()),
        note_count: count(plan.notes.len()),
        workflows: workflows.collect(),
    }
}
