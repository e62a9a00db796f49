//! Teams (R1).

use audit::{Event, Origin};
use db::{Retry, Tx};
use kernel::{AgentId, PageSize, TeamId, Timestamp};
use rpc::Caller;

use super::first_sight::taken;
use super::members::{check_agents, check_size};
use super::{App, check_version};
use crate::domain::offer::Offering;
use crate::domain::team::{NewTeam, RampUp, Team, TeamChange};
use crate::error::Error;
use crate::store;
use crate::store::handles::Named;

/// Page tokens of this list.
const LIST: &str = "routing.teams";

impl App {
    /// Makes a team.
    ///
    /// # Errors
    /// [`Error::HandleTaken`], [`Error::NoSuchAgent`], [`Error::Invalid`] for more members than a team can have,
    /// [`Error::RequestIdReused`], [`Error::Db`].
    pub async fn create_team(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        new: NewTeam,
    ) -> Result<Team, Error> {
        let now = self.clock.now();
        let NewTeam { handle, display_name, ramp_up, offering, reply_limit, members } = new;
        let team = Team {
            id: self.clock.new_id().into(),
            version: 1,
            handle,
            display_name,
            members: 0,
            queued: 0,
            ramp_up,
            offering,
            reply_limit,
            create_time: now,
            update_time: now,
        };
        let origin = origin.of_request(retry.request_id);
        self.db.write_once(&caller.org, retry, move |tx| Box::pin(create(tx, team, members, origin))).await
    }

    /// Reads a team.
    ///
    /// # Errors
    /// [`Error::NoSuchTeam`], [`Error::Db`].
    pub async fn get_team(&self, caller: &Caller, id: TeamId) -> Result<Team, Error> {
        let find = self.db.read(&caller.org, move |tx| Box::pin(store::teams::find_team(tx, id))).await?;
        find.ok_or(Error::NoSuchTeam)
    }

    /// Lists teams by handle: the page, and the token of the next.
    ///
    /// # Errors
    /// [`Error::BadPageToken`], [`Error::Db`].
    pub async fn list_teams(
        &self,
        caller: &Caller,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<Team>, String), Error> {
        let binding = caller.org.as_str().as_bytes();
        let after: String = match token {
            "" => String::new(),
            token => self.seal.open(LIST, binding, token).map_err(Error::BadPageToken)?,
        };
        let mut teams: Vec<Team> = self
            .db
            .read(&caller.org, move |tx| {
                Box::pin(async move { store::teams::list_teams(tx, &after, size.and_one()).await })
            })
            .await?;
        let more = teams.len() > size.get();
        teams.truncate(size.get());
        let next = teams.last().filter(|_| more).map(|team| self.seal.seal(LIST, binding, &team.handle));
        Ok((teams, next.unwrap_or_default()))
    }

    /// Changes a team's handle, its name, or how it gives to its members; with the last, what waits is looked at anew. What is offered
    /// already stays so.
    ///
    /// # Errors
    /// [`Error::NoSuchTeam`], [`Error::Stale`], [`Error::HandleTaken`], [`Error::RequestIdReused`], [`Error::Db`].
    pub async fn update_team(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        id: TeamId,
        change: TeamChange,
        expected: Option<i64>,
    ) -> Result<Team, Error> {
        let now = self.clock.now();
        let (app, origin) = (self.clone(), origin.of_request(retry.request_id));
        self.db
            .write_once(&caller.org, retry, move |tx| {
                Box::pin(async move {
                    let ramps = change.ramp_up_limit.is_some() || change.ramp_up_seconds.is_some();
                    let gives_otherwise = ramps || change.mode.is_some();
                    let team = update(tx, id, change, expected, now, origin).await?;
                    if gives_otherwise {
                        app.ring(tx, id);
                    }
                    Ok(team)
                })
            })
            .await
    }

    /// Deletes a team that nothing names.
    ///
    /// # Errors
    /// [`Error::TeamInUse`], [`Error::NoSuchTeam`], [`Error::Stale`], [`Error::Db`].
    pub async fn delete_team(
        &self,
        caller: &Caller,
        origin: Origin,
        id: TeamId,
        expected: Option<i64>,
    ) -> Result<(), Error> {
        self.db.write(&caller.org, move |tx| Box::pin(delete(tx, id, expected, origin))).await
    }
}

async fn create(tx: &mut Tx, mut team: Team, members: Vec<AgentId>, origin: Origin) -> Result<Team, Error> {
    if team.reply_limit.is_some() {
        // Compiled workflows hold it, and are read anew.
        store::workflows::bump_revision(tx).await?;
    }
    let members = check_agents(tx, members).await?;
    team.members = i64::try_from(members.len()).unwrap_or(i64::MAX);
    check_size(team.members)?;
    store::handles::insert_handle(tx, &team.handle, Named::Team(team.id)).await.map_err(taken)?;
    store::teams::insert_team(tx, &team).await?;
    store::teams::insert_members(tx, team.id, &members).await?;
    audit::record(tx, &origin, &[Event::new("team.create", team.id)]).await?;
    Ok(team)
}

async fn update(
    tx: &mut Tx,
    id: TeamId,
    change: TeamChange,
    expected: Option<i64>,
    now: Timestamp,
    origin: Origin,
) -> Result<Team, Error> {
    if change.handle.is_some() || change.reply_limit.is_some() {
        // Compiled workflows hold them, and are read anew. They are locked before a team is, as where one is deleted.
        store::workflows::bump_revision(tx).await?;
    }
    store::locks::lock_team(tx, id).await?;
    let before = store::teams::find_team(tx, id).await?.ok_or(Error::NoSuchTeam)?;
    check_version(expected, before.version)?;
    let mut team = before.clone();
    team.handle = change.handle.unwrap_or(team.handle);
    team.display_name = change.display_name.unwrap_or(team.display_name);
    team.ramp_up = RampUp {
        limit: change.ramp_up_limit.unwrap_or(team.ramp_up.limit),
        seconds: change.ramp_up_seconds.unwrap_or(team.ramp_up.seconds),
    };
    team.offering = Offering {
        mode: change.mode.unwrap_or(team.offering.mode),
        timeout: change.offer_timeout.unwrap_or(team.offering.timeout),
    };
    team.reply_limit = change.reply_limit.unwrap_or(team.reply_limit);
    if team == before {
        return Ok(team);
    }
    team.version += 1;
    team.update_time = now;
    if team.handle != before.handle {
        store::handles::delete_handle(tx, &before.handle).await?;
        store::handles::insert_handle(tx, &team.handle, Named::Team(id)).await.map_err(taken)?;
    }
    audit::record(tx, &origin, &[Event::new("team.update", id)]).await?;
    if store::teams::save_team(tx, &team).await? { Ok(team) } else { Err(Error::Raced) }
}

async fn delete(tx: &mut Tx, id: TeamId, expected: Option<i64>, origin: Origin) -> Result<(), Error> {
    store::locks::lock_teams(tx, &[id]).await?;
    let team = store::teams::find_team(tx, id).await?.ok_or(Error::NoSuchTeam)?;
    check_version(expected, team.version)?;
    // No workflow can begin to name the team from here on.
    store::workflows::bump_revision(tx).await?;
    if store::workflows::list_all(tx).await?.iter().any(|workflow| workflow.names(id)) {
        return Err(Error::TeamInUse("workflow"));
    }
    if store::sla_policies::list_all(tx).await?.iter().any(|policy| policy.hours_of == Some(id)) {
        return Err(Error::TeamInUse("SLA policy"));
    }
    if store::conversations::names_team(tx, id).await? {
        return Err(Error::TeamInUse("conversation"));
    }
    store::teams::delete_all_members(tx, id).await?;
    store::queue::delete_rotation(tx, id).await?;
    store::hours::delete_hours(tx, id).await?;
    store::handles::delete_handle(tx, &team.handle).await?;
    store::teams::delete_team(tx, id).await?;
    Ok(audit::record(tx, &origin, &[Event::new("team.delete", id)]).await?)
}
