//! Workflows.

use proto::routing::v1 as pb;
use proto::routing::v1::action::Action as Said;
use rpc::Fault;
use rpc::convert::{etag, id_of};

use super::conversation::{priority, priority_of};
use super::mask;
use super::time;
use crate::app::workflows::WorkflowChange;
use crate::domain::workflow::{Action, Strategy, Trigger, Workflow};

/// A workflow.
#[must_use]
pub fn workflow(it: Workflow) -> pb::Workflow {
    let trigger = match it.trigger {
        Trigger::ConversationCreated => pb::Trigger::ConversationCreated,
    };
    pb::Workflow {
        workflow_id: it.id.to_string(),
        etag: etag(it.version),
        name: it.name,
        position: it.position,
        disabled: it.disabled,
        trigger: trigger.into(),
        condition: it.condition,
        actions: it.actions.into_iter().map(|it| pb::Action { action: Some(action(it)) }).collect(),
        create_time: time(it.create_time),
        update_time: time(it.update_time),
    }
}

/// A new workflow.
///
/// # Errors
/// INVALID_FIELD for an action that cannot be read.
pub fn new_workflow(it: pb::WorkflowSpec) -> Result<WorkflowChange, Fault> {
    Ok(WorkflowChange {
        trigger: trigger_of(it.trigger()),
        position: Some(it.position),
        disabled: Some(it.disabled),
        actions: Some(actions_of(it.actions)?),
        name: Some(it.name),
        condition: Some(it.condition),
    })
}

/// The changes of a workflow.
///
/// # Errors
/// UNKNOWN_UPDATE_PATH, and as [`new_workflow`].
pub fn workflow_change(
    it: pb::WorkflowSpec,
    mask: Option<&prost_types::FieldMask>,
) -> Result<WorkflowChange, Fault> {
    let paths = mask::paths(
        mask,
        &[
            ("name", !it.name.is_empty()),
            ("position", it.position != 0),
            ("disabled", it.disabled),
            ("trigger", it.trigger != 0),
            ("condition", !it.condition.is_empty()),
            ("actions", !it.actions.is_empty()),
        ],
    )?;
    Ok(WorkflowChange {
        trigger: paths.take("trigger", it.trigger()).and_then(trigger_of),
        position: paths.take("position", it.position),
        disabled: paths.take("disabled", it.disabled),
        actions: paths.take("actions", actions_of(it.actions)?),
        name: paths.take("name", it.name),
        condition: paths.take("condition", it.condition),
    })
}

/// A strategy for the wire.
#[must_use]
pub fn strategy(it: Strategy) -> pb::Strategy {
    match it {
        Strategy::RoundRobin => pb::Strategy::RoundRobin,
    }
}

fn trigger_of(it: pb::Trigger) -> Option<Trigger> {
    match it {
        pb::Trigger::ConversationCreated => Some(Trigger::ConversationCreated),
        pb::Trigger::Unspecified => None,
    }
}

fn action(it: Action) -> Said {
    match it {
        Action::AssignTeam { team, strategy: how } => {
            Said::AssignTeam(pb::AssignTeam { team_id: team.to_string(), strategy: strategy(how).into() })
        }
        Action::AddTags(tags) => Said::AddTags(pb::AddTags { tags: tags.into_iter().collect() }),
        Action::SetPriority(it) => Said::SetPriority(pb::SetPriority { priority: priority(it).into() }),
        Action::Stop => Said::Stop(()),
    }
}

fn actions_of(all: Vec<pb::Action>) -> Result<Vec<Action>, Fault> {
    all.into_iter()
        .map(|it| {
            it.action.ok_or_else(|| Fault::invalid("spec.actions", "needs an action")).and_then(action_of)
        })
        .collect()
}

fn action_of(it: Said) -> Result<Action, Fault> {
    Ok(match it {
        Said::AssignTeam(it) => Action::AssignTeam {
            team: id_of("spec.actions.assign_team.team_id", &it.team_id)?,
            strategy: match it.strategy() {
                pb::Strategy::Unspecified | pb::Strategy::RoundRobin => Strategy::RoundRobin,
            },
        },
        Said::AddTags(it) => Action::AddTags(it.tags.into_iter().collect()),
        Said::SetPriority(it) => Action::SetPriority(priority_of(it.priority()).unwrap_or_default()),
        Said::Stop(_) => Action::Stop,
    })
}
