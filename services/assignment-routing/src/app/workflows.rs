//! Workflows (R9): refused at save if they could never work.

use std::collections::BTreeSet;
use std::time::Duration;

use audit::{Event, Origin};
use db::{Retry, Tx};
use kernel::{AgentId, PageSize, TeamId, Timestamp, WorkflowId};
use rpc::Caller;

use super::{App, check_version};
use crate::domain::condition::Condition;
use crate::domain::workflow::{Action, Trigger, Workflow};
use crate::error::Error;
use crate::store;
use crate::store::workflows::Position;

/// The most an organization may have: each new conversation is held against all of them.
const MOST: i64 = 200;

/// Teams or agents looked up by one statement.
const NAMED_AT_ONCE: usize = 500;

/// Page tokens of this list.
const LIST: &str = "routing.workflows";

/// What an admin says of a workflow; what is `None` stays, or has its default.
#[derive(Debug, Clone, Default)]
pub struct WorkflowChange {
    /// What it is called.
    pub name: Option<String>,
    /// Where it runs.
    pub position: Option<i32>,
    /// Whether it is skipped.
    pub disabled: Option<bool>,
    /// When it is looked at.
    pub trigger: Option<Trigger>,
    /// How long the wait is that triggers it; `None` inside: none does.
    pub after: Option<Option<Duration>>,
    /// CEL.
    pub condition: Option<String>,
    /// What it does.
    pub actions: Option<Vec<Action>>,
}

impl WorkflowChange {
    fn apply(self, to: Workflow) -> Workflow {
        Workflow {
            name: self.name.unwrap_or(to.name),
            position: self.position.unwrap_or(to.position),
            disabled: self.disabled.unwrap_or(to.disabled),
            trigger: self.trigger.unwrap_or(to.trigger),
            after: self.after.unwrap_or(to.after),
            condition: self.condition.unwrap_or(to.condition),
            actions: self.actions.unwrap_or(to.actions),
            ..to
        }
    }
}

impl App {
    /// Makes a workflow.
    ///
    /// # Errors
    /// [`Error::BadCondition`], [`Error::Incomplete`], [`Error::Unfit`], [`Error::NoSuchTeam`], [`Error::NoSuchAgent`],
    /// [`Error::TooManyWorkflows`], [`Error::RequestIdReused`], [`Error::Db`].
    pub async fn create_workflow(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        spec: WorkflowChange,
    ) -> Result<Workflow, Error> {
        let workflow = self.drafted("spec", spec)?;
        let origin = origin.of_request(retry.request_id);
        self.db.write_once(&caller.org, retry, move |tx| Box::pin(create(tx, workflow, origin))).await
    }

    /// A workflow as it was just said. `at` is the field of the request that says it.
    ///
    /// # Errors
    /// [`Error::BadCondition`], [`Error::Incomplete`], [`Error::Unfit`].
    pub(super) fn drafted(&self, at: &str, spec: WorkflowChange) -> Result<Workflow, Error> {
        let trigger = spec.trigger.ok_or_else(|| needed(at, "trigger"))?;
        let (now, id) = (self.clock.now(), self.clock.new_id().into());
        let workflow = spec.apply(Workflow {
            id,
            version: 1,
            name: String::new(),
            position: 0,
            disabled: false,
            trigger,
            after: None,
            condition: String::new(),
            actions: Vec::new(),
            create_time: now,
            update_time: now,
        });
        check(at, &workflow)?;
        Ok(workflow)
    }

    /// Reads a workflow.
    ///
    /// # Errors
    /// [`Error::NoSuchWorkflow`], [`Error::Db`].
    pub async fn get_workflow(&self, caller: &Caller, id: WorkflowId) -> Result<Workflow, Error> {
        let found =
            self.db.read(&caller.org, move |tx| Box::pin(store::workflows::find_workflow(tx, id))).await?;
        found.ok_or(Error::NoSuchWorkflow)
    }

    /// Lists workflows in running order: the page, and the token of the next.
    ///
    /// # Errors
    /// [`Error::BadPageToken`], [`Error::Db`].
    pub async fn list_workflows(
        &self,
        caller: &Caller,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<Workflow>, String), Error> {
        let binding = caller.org.as_str().as_bytes();
        let after: Option<Position> = match token {
            "" => None,
            token => Some(self.seal.open(LIST, binding, token).map_err(Error::BadPageToken)?),
        };
        let mut page: Vec<Workflow> = self
            .db
            .read(&caller.org, move |tx| {
                Box::pin(store::workflows::list_workflows(tx, after, size.and_one()))
            })
            .await?;
        let more = page.len() > size.get();
        page.truncate(size.get());
        let place = |it: &Workflow| (i64::from(it.position), it.create_time, it.id);
        let next = page.last().filter(|_| more).map(|last| self.seal.seal(LIST, binding, &place(last)));
        Ok((page, next.unwrap_or_default()))
    }

    /// Changes a workflow.
    ///
    /// # Errors
    /// [`Error::NoSuchWorkflow`], [`Error::Stale`], and as [`App::create_workflow`].
    pub async fn update_workflow(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        id: WorkflowId,
        change: WorkflowChange,
        expected: Option<i64>,
    ) -> Result<Workflow, Error> {
        let now = self.clock.now();
        let origin = origin.of_request(retry.request_id);
        self.db
            .write_once(&caller.org, retry, move |tx| Box::pin(update(tx, id, change, expected, now, origin)))
            .await
    }

    /// Deletes a workflow.
    ///
    /// # Errors
    /// [`Error::NoSuchWorkflow`], [`Error::Stale`], [`Error::Db`].
    pub async fn delete_workflow(
        &self,
        caller: &Caller,
        origin: Origin,
        id: WorkflowId,
        expected: Option<i64>,
    ) -> Result<(), Error> {
        self.db.write(&caller.org, move |tx| Box::pin(delete(tx, id, expected, origin))).await
    }
}

fn needed(at: &str, field: &str) -> Error {
    Error::Incomplete { field: format!("{at}.{field}") }
}

/// What the contract's rules cannot say. `at` is the field of the request that says it.
fn check(at: &str, workflow: &Workflow) -> Result<(), Error> {
    if workflow.name.is_empty() {
        return Err(needed(at, "name"));
    }
    if workflow.actions.is_empty() {
        return Err(needed(at, "actions"));
    }
    if let Some(reason) = workflow.unfit_wait() {
        return Err(Error::Unfit { field: format!("{at}.after"), reason });
    }
    let bad = |bad| Error::BadCondition { field: format!("{at}.condition"), bad };
    Condition::parse(&workflow.condition).map(drop).map_err(bad)
}

/// Makes sure that there is everybody whom workflows name.
///
/// # Errors
/// [`Error::NoSuchTeam`], [`Error::NoSuchAgent`], [`Error::Db`].
pub(super) async fn check_named(tx: &mut Tx, workflows: &[Workflow]) -> Result<(), Error> {
    let actions = || workflows.iter().flat_map(|workflow| &workflow.actions);
    let teams: BTreeSet<TeamId> = actions().filter_map(Action::team).collect();
    let agents: BTreeSet<AgentId> = actions().flat_map(Action::agents).collect();
    let (teams, agents): (Vec<_>, Vec<_>) = (teams.into_iter().collect(), agents.into_iter().collect());
    for some in teams.chunks(NAMED_AT_ONCE) {
        if store::teams::list_existing(tx, some).await?.len() < some.len() {
            return Err(Error::NoSuchTeam);
        }
    }
    for some in agents.chunks(NAMED_AT_ONCE) {
        if store::agents::list_people(tx, some).await?.len() < some.len() {
            return Err(Error::NoSuchAgent);
        }
    }
    Ok(())
}

async fn create(tx: &mut Tx, workflow: Workflow, origin: Origin) -> Result<Workflow, Error> {
    // First of all: from here on no team that it names can be deleted.
    store::workflows::bump_revision(tx).await?;
    if store::workflows::count_workflows(tx).await? >= MOST {
        return Err(Error::TooManyWorkflows { most: MOST });
    }
    check_named(tx, std::slice::from_ref(&workflow)).await?;
    store::workflows::insert_workflow(tx, &workflow).await?;
    audit::record(tx, &origin, &[Event::new("workflow.create", workflow.id)]).await?;
    Ok(workflow)
}

async fn update(
    tx: &mut Tx,
    id: WorkflowId,
    change: WorkflowChange,
    expected: Option<i64>,
    now: Timestamp,
    origin: Origin,
) -> Result<Workflow, Error> {
    store::workflows::bump_revision(tx).await?;
    let before = store::workflows::find_workflow(tx, id).await?.ok_or(Error::NoSuchWorkflow)?;
    check_version(expected, before.version)?;
    let mut workflow = change.apply(before.clone());
    if workflow == before {
        return Ok(workflow);
    }
    workflow.version += 1;
    workflow.update_time = now;
    check("spec", &workflow)?;
    check_named(tx, std::slice::from_ref(&workflow)).await?;
    audit::record(tx, &origin, &[Event::new("workflow.update", id)]).await?;
    if store::workflows::save_workflow(tx, &workflow).await? { Ok(workflow) } else { Err(Error::Raced) }
}

async fn delete(tx: &mut Tx, id: WorkflowId, expected: Option<i64>, origin: Origin) -> Result<(), Error> {
    store::workflows::bump_revision(tx).await?;
    let workflow = store::workflows::find_workflow(tx, id).await?.ok_or(Error::NoSuchWorkflow)?;
    check_version(expected, workflow.version)?;
    store::workflows::delete_workflow(tx, id).await?;
    Ok(audit::record(tx, &origin, &[Event::new("workflow.delete", id)]).await?)
}
