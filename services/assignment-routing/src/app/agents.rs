//! Profiles of agents, as admins make and change them (R1).

use std::collections::HashMap;

use audit::{Event, Origin};
use db::{Retry, Tx};
use kernel::{AgentId, PageSize, Subject, TeamId, Timestamp};
use rpc::Caller;

use super::first_sight::{insert, taken, teams_of};
use super::{App, check_version};
use crate::domain::agent::{Agent, Profile, ProfileChange};
use crate::domain::choose::Availability;
use crate::domain::presence::Presence;
use crate::error::Error;
use crate::store;
use crate::store::agents::Listed;
use crate::store::handles::Named;

/// Page tokens of this list.
const LIST: &str = "routing.agents";

impl App {
    /// Makes an agent.
    ///
    /// # Errors
    /// [`Error::HandleTaken`], [`Error::SubjectTaken`], [`Error::RequestIdReused`], [`Error::Db`].
    pub async fn create_agent(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        subject: Subject,
        profile: Profile,
    ) -> Result<Agent, Error> {
        let now = self.clock.now();
        let agent = Agent {
            id: self.clock.new_id().into(),
            version: 1,
            subject,
            profile,
            presence: Presence::ABSENT,
            open: 0,
            open_units: 0,
            teams: Vec::new(),
            create_time: now,
            update_time: now,
        };
        let origin = origin.of_request(retry.request_id);
        self.db.write_once(&caller.org, retry, move |tx| Box::pin(create(tx, agent, now, origin))).await
    }

    /// Reads an agent.
    ///
    /// # Errors
    /// [`Error::NoSuchAgent`], [`Error::Db`].
    pub async fn get_agent(&self, caller: &Caller, id: AgentId) -> Result<Agent, Error> {
        self.db.read(&caller.org, move |tx| Box::pin(get(tx, id))).await
    }

    /// Lists agents by username: the page, and the token of the next.
    ///
    /// # Errors
    /// [`Error::BadPageToken`], [`Error::Db`].
    pub async fn list_agents(
        &self,
        caller: &Caller,
        team: Option<TeamId>,
        availability: Option<Availability>,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<Agent>, String), Error> {
        let binding = format!("{} {team:?} {availability:?}", caller.org).into_bytes();
        let after: Option<String> = match token {
            "" => None,
            token => Some(self.seal.open(LIST, &binding, token).map_err(Error::BadPageToken)?),
        };
        let mut agents: Vec<Agent> = self
            .db
            .read(&caller.org, move |tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    let availability = availability.map(|availability| (availability, now));
                    let listed = Listed { team, availability, after };
                    let mut agents = store::agents::list_agents(tx, &listed, size.and_one()).await?;
                    add_teams(tx, &mut agents).await?;
                    Ok::<_, Error>(agents)
                })
            })
            .await?;
        let more = agents.len() > size.get();
        agents.truncate(size.get());
        let last = agents.last().filter(|_| more).map(|agent| agent.profile.username.as_str());
        Ok((agents.clone(), last.map_or_else(String::new, |last| self.seal.seal(LIST, &binding, &last))))
    }

    /// Changes the profile of an agent. With other skills or another capacity the agent may take what waits.
    ///
    /// # Errors
    /// [`Error::NoSuchAgent`], [`Error::Stale`], [`Error::HandleTaken`], [`Error::RequestIdReused`], [`Error::Db`].
    pub async fn update_agent(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        id: AgentId,
        change: ProfileChange,
        expected: Option<i64>,
    ) -> Result<Agent, Error> {
        let now = self.clock.now();
        let (app, origin) = (self.clone(), origin.of_request(retry.request_id));
        self.db
            .write_once(&caller.org, retry, move |tx| {
                Box::pin(async move { app.change_agent(tx, id, change, expected, now, origin).await })
            })
            .await
    }

    async fn change_agent(
        &self,
        tx: &mut Tx,
        id: AgentId,
        change: ProfileChange,
        expected: Option<i64>,
        now: Timestamp,
        origin: Origin,
    ) -> Result<Agent, Error> {
        store::locks::lock_agent(tx, id).await?;
        let mut agent = get(tx, id).await?;
        check_version(expected, agent.version)?;
        let before = agent.profile.clone();
        agent.profile = change.apply(before.clone());
        if agent.profile == before {
            return Ok(agent);
        }
        agent.version += 1;
        agent.update_time = now;
        if agent.profile.username != before.username {
            store::handles::delete_handle(tx, &before.username).await?;
            store::handles::insert_handle(tx, &agent.profile.username, Named::Agent(id))
                .await
                .map_err(taken)?;
        }
        audit::record(tx, &origin, &[Event::new("agent.update", id)]).await?;
        if agent.profile.skills != before.skills || agent.profile.capacity_units != before.capacity_units {
            self.ring_all(tx, &agent.teams);
        }
        if store::agents::save_agent(tx, &agent).await.map_err(taken)? {
            Ok(agent)
        } else {
            Err(Error::Raced)
        }
    }
}

async fn create(tx: &mut Tx, agent: Agent, now: Timestamp, origin: Origin) -> Result<Agent, Error> {
    insert(tx, &agent, now, &origin).await?;
    Ok(agent)
}

/// Reads an agent with teams.
pub(super) async fn get(tx: &mut Tx, id: AgentId) -> Result<Agent, Error> {
    let mut agent = store::agents::find_agent(tx, id).await?.ok_or(Error::NoSuchAgent)?;
    agent.teams = teams_of(tx, &agent).await?;
    Ok(agent)
}

async fn add_teams(tx: &mut Tx, agents: &mut [Agent]) -> Result<(), Error> {
    let ids: Vec<AgentId> = agents.iter().map(|agent| agent.id).collect();
    let mut teams: HashMap<AgentId, Vec<TeamId>> = HashMap::new();
    for (agent, team) in store::teams::list_teams_of(tx, &ids).await? {
        teams.entry(agent).or_default().push(team);
    }
    for agent in agents {
        agent.teams = teams.remove(&agent.id).unwrap_or_default();
    }
    Ok(())
}
