//! The people of the floor: one team, in which some are good at the same.

use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use proto::routing::v1 as pb;

use super::super::office::{Agent, Office};
use super::super::route::route;
use super::FloorArgs;
use crate::client::{Session, patiently};
use crate::failure::Failure;

/// The team's handle; its agents are called by it and a number.
pub(in crate::replay) const NAME: &str = "floor";

/// Agents that are made ready at once.
const AT_ONCE: usize = 8;

/// Before the workflows of other replays: each floor's workflow is the last to run.
const POSITION: i32 = 90;

/// The team, its agents and what it knows by now.
#[derive(Clone)]
pub(in crate::replay) struct Floor {
    pub(super) args: FloorArgs,
    pub(super) admin: Session,
    pub(super) team_id: String,
    pub(super) staff: Vec<Staff>,
    sources: Vec<String>,
}

/// An agent of the floor.
#[derive(Clone)]
pub(in crate::replay) struct Staff {
    pub(super) agent: Arc<Agent>,
    pub(super) agent_id: String,
}

impl Floor {
    /// Hires the agents and makes their team.
    pub(in crate::replay) async fn open(office: &Office, args: &FloorArgs) -> Result<Self, Failure> {
        let staff: Vec<Staff> = stream::iter((1..=args.agents).map(|number| format!("{NAME}-{number}")))
            .map(|subject| async move {
                let (agent, agent_id) = office.hire(&subject).await?;
                Ok::<_, Failure>(Staff { agent: Arc::new(agent), agent_id })
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let ids: Vec<String> = staff.iter().map(|it| it.agent_id.clone()).collect();
        let team_id = office.team(NAME, "The floor", ids.clone()).await?;
        let floor =
            Self { args: args.clone(), admin: office.admin().clone(), team_id, staff, sources: Vec::new() };
        for other in office.members(&floor.team_id).await? {
            // Of an earlier run with more agents: they would get work, and nobody would do it.
            if !ids.contains(&other.agent_id) {
                floor.say(&other.agent_id, pb::Availability::Offline).await?;
            }
        }
        floor.set_mode().await?;
        Ok(floor)
    }

    /// Its agents.
    pub(in crate::replay) fn staff(&self) -> impl Iterator<Item = &Arc<Agent>> {
        self.staff.iter().map(|it| &it.agent)
    }

    /// Whether it knows a source.
    pub(in crate::replay) fn serves(&self, source: &str) -> bool {
        self.sources.iter().any(|known| known == source)
    }

    /// The floor with one more source, at which some of its agents are good.
    pub(in crate::replay) async fn with_source(&self, source: &str) -> Result<Self, Failure> {
        let mut grown = self.clone();
        grown.sources.push(source.to_owned());
        let (floor, newest) = (&grown, self.sources.len());
        let good = (0..self.staff.len()).filter(|place| floor.is_good_at(*place, newest));
        stream::iter(good.map(Ok))
            .try_for_each_concurrent(AT_ONCE, |place| async move { floor.train(place).await })
            .await?;
        let assign = pb::action::Action::AssignTeam(pb::AssignTeam {
            team_id: self.team_id.clone(),
            strategy: pb::Strategy::SkillBased.into(),
            required_skills: vec![pb::RequiredSkill { skill: source.to_owned(), min_level: 1 }],
            ..Default::default()
        });
        let stop = pb::action::Action::Stop(());
        route(&self.admin, &format!("replay floor: {source}"), POSITION, source, vec![assign, stop]).await?;
        Ok(grown)
    }

    /// How many kinds of agents there are: who is of the same kind is good at the same.
    pub(super) fn kinds(&self) -> usize {
        if self.staff.len() < 3 { 1 } else { 3 }
    }

    /// Whether the agent at a place is good at a source: each is at two thirds of all, and each source has two thirds of the agents.
    fn is_good_at(&self, place: usize, source: usize) -> bool {
        self.kinds() == 1 || !(place + source).is_multiple_of(3)
    }

    /// Lets an agent have the skills for all sources that they are good at, and the capacity of the floor.
    async fn train(&self, place: usize) -> Result<(), Failure> {
        let known = self.sources.iter().enumerate().filter(|(number, _)| self.is_good_at(place, *number));
        let skills = known.map(|(_, source)| pb::Skill { name: source.clone(), level: 3 }).collect();
        let staff = &self.staff[place];
        let profile = pb::AgentProfile { skills, capacity_units: self.args.capacity, ..Default::default() };
        let paths = vec!["skills".to_owned(), "capacity_units".to_owned()];
        let request = pb::UpdateAgentRequest {
            agent_id: staff.agent_id.clone(),
            profile: Some(profile),
            update_mask: Some(prost_types::FieldMask { paths }),
            ..Default::default()
        };
        let updated = patiently(|| {
            let (mut agents, request) = (self.admin.agents(), request.clone());
            async move { agents.update_agent(request).await }
        });
        updated.await.map(drop).map_err(|status| Failure::call(&staff.agent.subject, &status))
    }

    /// Says whether somebody is there.
    pub(super) async fn say(&self, agent_id: &str, availability: pb::Availability) -> Result<(), Failure> {
        let request = pb::SetAvailabilityRequest {
            agent_id: agent_id.to_owned(),
            availability: availability.into(),
            pinned: true,
        };
        let said = patiently(|| {
            let (mut agents, request) = (self.admin.agents(), request.clone());
            async move { agents.set_availability(request).await }
        });
        said.await.map(drop).map_err(|status| Failure::call(agent_id, &status))
    }

    /// Agents are asked first, or not.
    async fn set_mode(&self) -> Result<(), Failure> {
        let mode = match self.args.reject {
            Some(_) => pb::AssignmentMode::Offer,
            None => pb::AssignmentMode::AutoAccept,
        };
        let request = pb::UpdateTeamRequest {
            team_id: self.team_id.clone(),
            assignment_mode: mode.into(),
            ..Default::default()
        };
        let updated = patiently(|| {
            let (mut teams, request) = (self.admin.teams(), request.clone());
            async move { teams.update_team(request).await }
        });
        updated.await.map(drop).map_err(|status| Failure::call(NAME, &status))
    }
}
