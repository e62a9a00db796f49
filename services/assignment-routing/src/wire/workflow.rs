//! Workflows.

use std::time::Duration;

use proto::routing::v1 as pb;
use proto::routing::v1::action::Action as Said;
use rpc::Fault;
use rpc::convert::{etag, id_of, ids_of, optional_id_of};
use rpc::update_mask;

use super::conversation::{priority, priority_of};
use super::time;
use crate::app::workflows::WorkflowChange;
use crate::domain::workflow::{Action, OUT_OF_RANGE, Trigger, Workflow};

/// A workflow.
#[must_use]
pub fn workflow(it: Workflow) -> pb::Workflow {
    let trigger = match it.trigger {
        Trigger::ConversationCreated => pb::Trigger::ConversationCreated,
        Trigger::ConversationReopened => pb::Trigger::ConversationReopened,
        Trigger::MessageReceived => pb::Trigger::MessageReceived,
        Trigger::ConversationTagged => pb::Trigger::ConversationTagged,
        Trigger::UnassignedFor => pb::Trigger::UnassignedFor,
        Trigger::NoReplyFor => pb::Trigger::NoReplyFor,
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
        after: it.after.and_then(|after| prost_types::Duration::try_from(after).ok()),
    }
}

/// A new workflow. `at` is the field of the request that says it.
///
/// # Errors
/// INVALID_FIELD for an action or a wait that cannot be read.
pub fn new_workflow(at: &str, it: pb::WorkflowSpec) -> Result<WorkflowChange, Fault> {
    Ok(WorkflowChange {
        trigger: trigger_of(it.trigger()),
        after: Some(after_of(at, it.after)?),
        position: Some(it.position),
        disabled: Some(it.disabled),
        actions: Some(actions_of(at, it.actions)?),
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
    let paths = update_mask::paths(
        mask,
        &[
            ("name", !it.name.is_empty()),
            ("position", it.position != 0),
            ("disabled", it.disabled),
            ("trigger", it.trigger != 0),
            ("after", it.after.is_some()),
            ("condition", !it.condition.is_empty()),
            ("actions", !it.actions.is_empty()),
        ],
    )?;
    Ok(WorkflowChange {
        trigger: paths.take("trigger", it.trigger()).and_then(trigger_of),
        after: paths.take("after", after_of("spec", it.after)?),
        position: paths.take("position", it.position),
        disabled: paths.take("disabled", it.disabled),
        actions: paths.take("actions", actions_of("spec", it.actions)?),
        name: paths.take("name", it.name),
        condition: paths.take("condition", it.condition),
    })
}

fn trigger_of(it: pb::Trigger) -> Option<Trigger> {
    match it {
        pb::Trigger::ConversationCreated => Some(Trigger::ConversationCreated),
        pb::Trigger::ConversationReopened => Some(Trigger::ConversationReopened),
        pb::Trigger::MessageReceived => Some(Trigger::MessageReceived),
        pb::Trigger::ConversationTagged => Some(Trigger::ConversationTagged),
        pb::Trigger::UnassignedFor => Some(Trigger::UnassignedFor),
        pb::Trigger::NoReplyFor => Some(Trigger::NoReplyFor),
        pb::Trigger::Unspecified => None,
    }
}

/// How long a wait is; that a workflow may have so long a one is checked with its trigger.
fn after_of(at: &str, said: Option<prost_types::Duration>) -> Result<Option<Duration>, Fault> {
    let Some(said) = said else { return Ok(None) };
    Duration::try_from(said).map(Some).map_err(|_| Fault::invalid(format!("{at}.after"), OUT_OF_RANGE))
}

fn action(it: Action) -> Said {
    match it {
        Action::AssignTeam { team, sharing } => {
            Said::AssignTeam(super::sharing::assign_team(team.to_string(), sharing))
        }
        Action::AssignAgent(agent) => Said::AssignAgent(pb::AssignAgent { agent_id: agent.to_string() }),
        Action::RemoveTags(tags) => Said::RemoveTags(pb::RemoveTags { tags: tags.into_iter().collect() }),
        Action::Notify { agents, team, reason } => Said::Notify(pb::NotifyPeople {
            agent_ids: agents.iter().map(ToString::to_string).collect(),
            team_id: team.map(|team| team.to_string()).unwrap_or_default(),
            reason,
        }),
        Action::AddNote { text } => Said::AddNote(pb::AddNote { text }),
        Action::AddTags(tags) => Said::AddTags(pb::AddTags { tags: tags.into_iter().collect() }),
        Action::SetPriority(it) => Said::SetPriority(pb::SetPriority { priority: priority(it).into() }),
        Action::Stop => Said::Stop(()),
    }
}

fn actions_of(at: &str, all: Vec<pb::Action>) -> Result<Vec<Action>, Fault> {
    let action = |(index, it): (usize, pb::Action)| {
        let at = format!("{at}.actions[{index}]");
        it.action.ok_or_else(|| Fault::invalid(&at, "needs an action")).and_then(|it| action_of(&at, it))
    };
    all.into_iter().enumerate().map(action).collect()
}

fn action_of(at: &str, it: Said) -> Result<Action, Fault> {
    Ok(match it {
        Said::AssignTeam(it) => Action::AssignTeam {
            team: id_of("team_id", &it.team_id)?,
            sharing: super::sharing::sharing(&it)?,
        },
        Said::AssignAgent(it) => Action::AssignAgent(id_of("agent_id", &it.agent_id)?),
        Said::AddTags(it) => Action::AddTags(it.tags.into_iter().collect()),
        Said::RemoveTags(it) => Action::RemoveTags(it.tags.into_iter().collect()),
        Said::Notify(it) if it.agent_ids.is_empty() && it.team_id.is_empty() => {
            return Err(Fault::invalid(format!("{at}.notify"), "needs an agent or a team"));
        }
        Said::Notify(it) => Action::Notify {
            agents: ids_of("agent_ids", &it.agent_ids)?.into_iter().collect(),
            team: optional_id_of("team_id", &it.team_id)?,
            reason: it.reason,
        },
        Said::AddNote(it) => Action::AddNote { text: it.text },
        Said::SetPriority(it) => Action::SetPriority(priority_of(it.priority()).unwrap_or_default()),
        Said::Stop(_) => Action::Stop,
    })
}
