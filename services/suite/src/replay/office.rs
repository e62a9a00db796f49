//! The people of the replay: a team for each source, its agents, and the workflow that sends the source to its team; or one floor.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use kernel::Role;
use proto::routing::v1 as pb;
use tokio::sync::Notify;
use tonic::Code;

use super::floor::{self, Floor, FloorArgs};
use super::ledger::Ledger;
use super::listen::{Heard, Listener};
use super::route::route;
use crate::client::{Session, Wire, patiently};
use crate::dev_key::Minter;
use crate::failure::Failure;

/// One agent at work.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) subject: String,
    pub(super) api: Session,
    /// Rings when something was offered to them.
    pub(super) offered: Arc<Notify>,
    /// Kept open as long as the agent is at work.
    _listener: Listener,
}

/// The teams so far, by source.
#[derive(Clone)]
pub(super) struct Office {
    wire: Wire,
    minter: Minter,
    admin: Session,
    agents_per_team: usize,
    ledger: Arc<Ledger>,
    heard: Arc<Heard>,
    teams: BTreeMap<String, Vec<Arc<Agent>>>,
    floor: Option<Floor>,
}

/// The office as it is now: it grows while others look at it.
#[derive(Clone)]
pub(super) struct SharedOffice(Arc<RwLock<Arc<Office>>>);

impl SharedOffice {
    pub(super) fn of(office: Office) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(office))))
    }

    /// As it is now.
    pub(super) fn now(&self) -> Arc<Office> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens the team of a source, unless it is there.
    pub(super) async fn staffed(&self, source: &str) -> Result<(), Failure> {
        let present = self.now();
        if !present.has(source) {
            let grown = present.with_source(source).await?;
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(grown);
        }
        Ok(())
    }
}

impl Office {
    pub(super) fn new(
        wire: Wire,
        minter: Minter,
        agents_per_team: usize,
        ledger: Arc<Ledger>,
    ) -> Result<Self, Failure> {
        let admin = wire.bearing(&minter.mint("replay-admin", Role::Admin, Some("Replay"))?)?;
        let heard = Arc::new(Heard::default());
        Ok(Self { wire, minter, admin, agents_per_team, ledger, heard, teams: BTreeMap::new(), floor: None })
    }

    /// With one team for all sources instead.
    pub(super) async fn with_floor(mut self, args: &FloorArgs) -> Result<Self, Failure> {
        let opened = Floor::open(&self, args).await?;
        let agents = opened.staff().map(Arc::clone).collect();
        self.teams.insert(floor::NAME.to_owned(), agents);
        self.floor = Some(opened);
        Ok(self)
    }

    pub(super) fn admin(&self) -> &Session {
        &self.admin
    }

    /// The floor, if there is one.
    pub(super) fn floor(&self) -> Option<&Floor> {
        self.floor.as_ref()
    }

    fn has(&self, source: &str) -> bool {
        match &self.floor {
            Some(floor) => floor.serves(source),
            None => self.teams.contains_key(source),
        }
    }

    /// This office, ready for one more source.
    async fn with_source(&self, source: &str) -> Result<Self, Failure> {
        let Some(floor) = &self.floor else { return self.with_team(source).await };
        Ok(Self { floor: Some(floor.with_source(source).await?), ..self.clone() })
    }

    pub(super) fn teams(&self) -> &BTreeMap<String, Vec<Arc<Agent>>> {
        &self.teams
    }

    pub(super) fn heard(&self) -> &Heard {
        &self.heard
    }

    /// The agent of a subject, and the colleague who sits next to them.
    pub(super) fn agent_and_neighbour(&self, subject: &str) -> Option<(Arc<Agent>, Option<Arc<Agent>>)> {
        self.teams.values().find_map(|team| {
            let place = team.iter().position(|agent| agent.subject == subject)?;
            let next = &team[(place + 1) % team.len()];
            let neighbour = (team.len() > 1).then(|| Arc::clone(next));
            Some((Arc::clone(&team[place]), neighbour))
        })
    }

    /// The agent of a subject.
    pub(super) fn agent(&self, subject: &str) -> Option<&Arc<Agent>> {
        self.teams.values().flatten().find(|agent| agent.subject == subject)
    }

    /// This office and the team of one more source: agents listening first, then online, then the workflow, so that
    /// nothing is missed.
    async fn with_team(&self, source: &str) -> Result<Self, Failure> {
        let (mut agents, mut ids) = (Vec::new(), Vec::new());
        for number in 1..=self.agents_per_team {
            let (agent, id) = self.hire(&format!("{source}-{number}")).await?;
            agents.push(Arc::new(agent));
            ids.push(id);
        }
        let team = self.team(&format!("{source}-team"), source, ids).await?;
        for subject in self.members(&team).await?.into_iter().map(|agent| agent.subject) {
            // Agents of an earlier run may still be at work, and are heard. Nobody else is listened to: those are people.
            if is_of_a_replay(source, &subject) && agents.iter().all(|agent| agent.subject != subject) {
                agents.push(Arc::new(self.seat(&subject).await?));
            }
        }
        let assign = pb::action::Action::AssignTeam(pb::AssignTeam {
            team_id: team,
            strategy: pb::Strategy::RoundRobin.into(),
            ..Default::default()
        });
        route(&self.admin, &format!("replay: {source}"), 100, source, vec![assign]).await?;
        let mut grown = self.clone();
        grown.teams.insert(source.to_owned(), agents);
        Ok(grown)
    }

    /// An agent who listens.
    async fn seat(&self, subject: &str) -> Result<Agent, Failure> {
        let api = self.wire.bearing(&self.minter.mint(subject, Role::Agent, Some(subject))?)?;
        let offered = Arc::default();
        let listener = Listener::open(api.clone(), subject, &self.ledger, &self.heard, &offered).await?;
        Ok(Agent { subject: subject.to_owned(), api, offered, _listener: listener })
    }

    /// An agent who listens and is online, with their id.
    pub(super) async fn hire(&self, subject: &str) -> Result<(Agent, String), Failure> {
        let agent = self.seat(subject).await?;
        let api = &agent.api;
        let me = patiently(|| {
            let mut agents = api.agents();
            async move { agents.get_my_agent(pb::GetMyAgentRequest {}).await }
        })
        .await
        .map_err(|status| Failure::call(subject, &status))?;
        let agent_id = me.agent.unwrap_or_default().agent_id;
        let online = pb::SetAvailabilityRequest {
            agent_id: agent_id.clone(),
            availability: pb::Availability::Online.into(),
            pinned: true,
        };
        patiently(|| {
            let (mut agents, online) = (api.agents(), online.clone());
            async move { agents.set_availability(online).await }
        })
        .await
        .map_err(|status| Failure::call(subject, &status))?;
        Ok((agent, agent_id))
    }

    /// The team of a handle, made if it is not there, with these members.
    pub(super) async fn team(
        &self,
        handle: &str,
        name: &str,
        agent_ids: Vec<String>,
    ) -> Result<String, Failure> {
        let request = pb::CreateTeamRequest {
            handle: handle.to_owned(),
            display_name: name.to_owned(),
            agent_ids: agent_ids.clone(),
            ..Default::default()
        };
        let failed = |status: tonic::Status| Failure::call(format_args!("team {handle}"), &status);
        let made = patiently(|| {
            let (mut teams, request) = (self.admin.teams(), request.clone());
            async move { teams.create_team(request).await }
        })
        .await;
        match made {
            Ok(answer) => return Ok(answer.team.unwrap_or_default().team_id),
            Err(status) if status.code() == Code::AlreadyExists => {}
            Err(status) => return Err(failed(status)),
        }
        let team_id = self.team_called(handle).await.map_err(failed)?;
        let add = pb::AddTeamMembersRequest { team_id: team_id.clone(), agent_ids };
        patiently(|| {
            let (mut teams, add) = (self.admin.teams(), add.clone());
            async move { teams.add_team_members(add).await }
        })
        .await
        .map_err(failed)?;
        Ok(team_id)
    }

    /// A team's members.
    pub(super) async fn members(&self, team_id: &str) -> Result<Vec<pb::Agent>, Failure> {
        let mut members = Vec::new();
        let mut request =
            pb::ListAgentsRequest { team_id: team_id.to_owned(), page_size: 200, ..Default::default() };
        loop {
            let page = patiently(|| {
                let (mut agents, request) = (self.admin.agents(), request.clone());
                async move { agents.list_agents(request).await }
            })
            .await
            .map_err(|status| Failure::call("the members of a team", &status))?;
            members.extend(page.agents);
            if page.next_page_token.is_empty() {
                return Ok(members);
            }
            request.page_token = page.next_page_token;
        }
    }

    async fn team_called(&self, handle: &str) -> Result<String, tonic::Status> {
        let request = pb::ResolveHandlesRequest { handles: vec![handle.to_owned()] };
        let resolved = patiently(|| {
            let (mut directory, request) = (self.admin.directory(), request.clone());
            async move { directory.resolve_handles(request).await }
        })
        .await?;
        let team = resolved.handles.into_iter().map(|handle| handle.team_id).find(|id| !id.is_empty());
        team.ok_or_else(|| tonic::Status::not_found(format!("{handle} is not a team")))
    }
}

/// Whether a replay of this source made the agent: its name is the source and a number.
fn is_of_a_replay(source: &str, subject: &str) -> bool {
    let number = subject.strip_prefix(source).and_then(|rest| rest.strip_prefix('-'));
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}
