//! Policies: targets for conversations that fit a condition (R17); refused at save if they could never be held.

use std::time::Duration;

use audit::{Event, Origin};
use db::{Retry, Tx};
use kernel::{PageSize, TeamId, Timestamp};
use rpc::Caller;

use super::{App, check_version};
use crate::domain::sla::policies::condition;
use crate::domain::sla::{SlaPolicy, SlaPolicyId, Targets};
use crate::error::Error;
use crate::store;
use crate::store::sla_policies::Position;

/// The most an organization may have: conversations are held against all of them.
const MOST: i64 = 50;

/// How much of a target is gone when people are warned, in percent, where nobody says it.
const WARN_PERCENT: u32 = 80;

/// Page tokens of this list.
const LIST: &str = "routing.sla_policies";

/// What an admin says of a policy; what is `None` stays, or has its default.
#[derive(Debug, Clone, Default)]
pub struct SlaPolicyChange {
    /// What it is called.
    pub name: Option<String>,
    /// Where it is tried.
    pub position: Option<i32>,
    /// Whether it is skipped.
    pub disabled: Option<bool>,
    /// CEL.
    pub condition: Option<String>,
    /// Target for the first answer; `Some(None)`: none from now on.
    pub first_response: Option<Option<Duration>>,
    /// Target for each later answer, likewise.
    pub next_response: Option<Option<Duration>>,
    /// Target for the resolution, likewise.
    pub resolution: Option<Option<Duration>>,
    /// How much of a target is gone when people are warned; 0: the default.
    pub warn_percent: Option<u32>,
    /// Whose business hours count; `Some(None)`: those of the conversation's team.
    pub hours_of: Option<Option<TeamId>>,
}

impl SlaPolicyChange {
    fn apply(self, to: SlaPolicy) -> SlaPolicy {
        let targets = Targets {
            first_response: self.first_response.unwrap_or(to.targets.first_response),
            next_response: self.next_response.unwrap_or(to.targets.next_response),
            resolution: self.resolution.unwrap_or(to.targets.resolution),
        };
        let warn_percent = self.warn_percent.map(|said| if said == 0 { WARN_PERCENT } else { said });
        SlaPolicy {
            name: self.name.unwrap_or(to.name),
            position: self.position.unwrap_or(to.position),
            disabled: self.disabled.unwrap_or(to.disabled),
            condition: self.condition.unwrap_or(to.condition),
            targets,
            warn_percent: warn_percent.unwrap_or(to.warn_percent),
            hours_of: self.hours_of.unwrap_or(to.hours_of),
            ..to
        }
    }
}

impl App {
    /// Makes a policy.
    ///
    /// # Errors
    /// [`Error::BadCondition`], [`Error::Incomplete`], [`Error::Invalid`] without a target, [`Error::NoSuchTeam`],
    /// [`Error::TooManySlaPolicies`], [`Error::RequestIdReused`], [`Error::Db`].
    pub async fn create_sla_policy(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        spec: SlaPolicyChange,
    ) -> Result<SlaPolicy, Error> {
        let now = self.clock.now();
        let policy = spec.apply(SlaPolicy {
            id: self.clock.new_id().into(),
            version: 1,
            name: String::new(),
            position: 0,
            disabled: false,
            condition: String::new(),
            targets: Targets::default(),
            warn_percent: WARN_PERCENT,
            hours_of: None,
            create_time: now,
            update_time: now,
        });
        check(&policy)?;
        let origin = origin.of_request(retry.request_id);
        self.db.write_once(&caller.org, retry, move |tx| Box::pin(create(tx, policy, origin))).await
    }

    /// Reads a policy.
    ///
    /// # Errors
    /// [`Error::NoSuchSlaPolicy`], [`Error::Db`].
    pub async fn get_sla_policy(&self, caller: &Caller, id: SlaPolicyId) -> Result<SlaPolicy, Error> {
        let found =
            self.db.read(&caller.org, move |tx| Box::pin(store::sla_policies::find_policy(tx, id))).await?;
        found.ok_or(Error::NoSuchSlaPolicy)
    }

    /// Lists policies in the order in which they are tried: the page, and the token of the next.
    ///
    /// # Errors
    /// [`Error::BadPageToken`], [`Error::Db`].
    pub async fn list_sla_policies(
        &self,
        caller: &Caller,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<SlaPolicy>, String), Error> {
        let binding = caller.org.as_str().as_bytes();
        let after: Option<Position> = match token {
            "" => None,
            token => Some(self.seal.open(LIST, binding, token).map_err(Error::BadPageToken)?),
        };
        let mut page: Vec<SlaPolicy> = self
            .db
            .read(&caller.org, move |tx| {
                Box::pin(store::sla_policies::list_policies(tx, after, size.and_one()))
            })
            .await?;
        let more = page.len() > size.get();
        page.truncate(size.get());
        let place = |it: &SlaPolicy| (i64::from(it.position), it.create_time, it.id);
        let next = page.last().filter(|_| more).map(|last| self.seal.seal(LIST, binding, &place(last)));
        Ok((page, next.unwrap_or_default()))
    }

    /// Changes a policy.
    ///
    /// # Errors
    /// [`Error::NoSuchSlaPolicy`], [`Error::Stale`], and as [`App::create_sla_policy`].
    pub async fn update_sla_policy(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        id: SlaPolicyId,
        change: SlaPolicyChange,
        expected: Option<i64>,
    ) -> Result<SlaPolicy, Error> {
        let now = self.clock.now();
        let origin = origin.of_request(retry.request_id);
        self.db
            .write_once(&caller.org, retry, move |tx| Box::pin(update(tx, id, change, expected, now, origin)))
            .await
    }

    /// Deletes a policy.
    ///
    /// # Errors
    /// [`Error::NoSuchSlaPolicy`], [`Error::Stale`], [`Error::Db`].
    pub async fn delete_sla_policy(
        &self,
        caller: &Caller,
        origin: Origin,
        id: SlaPolicyId,
        expected: Option<i64>,
    ) -> Result<(), Error> {
        self.db.write(&caller.org, move |tx| Box::pin(delete(tx, id, expected, origin))).await
    }
}

/// What the contract's rules cannot say.
fn check(policy: &SlaPolicy) -> Result<(), Error> {
    if policy.name.is_empty() {
        return Err(Error::Incomplete { field: "spec.name".to_owned() });
    }
    if policy.targets == Targets::default() {
        let reason = "needs a target at least: first_response, next_response or resolution".to_owned();
        return Err(Error::Invalid { field: "spec", reason });
    }
    let bad = |bad| Error::BadCondition { field: "spec.condition".to_owned(), bad };
    condition(&policy.condition).map(drop).map_err(bad)
}

/// Makes sure that there is the team whose hours count.
async fn check_team(tx: &mut Tx, policy: &SlaPolicy) -> Result<(), Error> {
    let Some(team) = policy.hours_of else { return Ok(()) };
    store::teams::find_team_handle(tx, team).await?.map(drop).ok_or(Error::NoSuchTeam)
}

async fn create(tx: &mut Tx, policy: SlaPolicy, origin: Origin) -> Result<SlaPolicy, Error> {
    // First of all: from here on the team that it names cannot be deleted. Policies are kept compiled with the workflows.
    store::workflows::bump_revision(tx).await?;
    if store::sla_policies::count_policies(tx).await? >= MOST {
        return Err(Error::TooManySlaPolicies { most: MOST });
    }
    check_team(tx, &policy).await?;
    store::sla_policies::insert_policy(tx, &policy).await?;
    audit::record(tx, &origin, &[Event::new("sla_policy.create", policy.id)]).await?;
    Ok(policy)
}

async fn update(
    tx: &mut Tx,
    id: SlaPolicyId,
    change: SlaPolicyChange,
    expected: Option<i64>,
    now: Timestamp,
    origin: Origin,
) -> Result<SlaPolicy, Error> {
    store::workflows::bump_revision(tx).await?;
    let before = store::sla_policies::find_policy(tx, id).await?.ok_or(Error::NoSuchSlaPolicy)?;
    check_version(expected, before.version)?;
    let mut policy = change.apply(before.clone());
    if policy == before {
        return Ok(policy);
    }
    policy.version += 1;
    policy.update_time = now;
    check(&policy)?;
    check_team(tx, &policy).await?;
    audit::record(tx, &origin, &[Event::new("sla_policy.update", id)]).await?;
    if store::sla_policies::save_policy(tx, &policy).await? { Ok(policy) } else { Err(Error::Raced) }
}

async fn delete(tx: &mut Tx, id: SlaPolicyId, expected: Option<i64>, origin: Origin) -> Result<(), Error> {
    store::workflows::bump_revision(tx).await?;
    let policy = store::sla_policies::find_policy(tx, id).await?.ok_or(Error::NoSuchSlaPolicy)?;
    check_version(expected, policy.version)?;
    store::sla_policies::delete_policy(tx, id).await?;
    Ok(audit::record(tx, &origin, &[Event::new("sla_policy.delete", id)]).await?)
}
