//! Who gets a conversation: a pure function of what it asks for, the agents, the turn and the time (R10).

use std::cmp::Reverse;

use kernel::{AgentId, Timestamp};
use serde::{Deserialize, Serialize};

use super::agent::Skill;
use super::load::Room;
use super::offer::{MOST_OPEN, Offering, Refusal};
use super::sharing::{Demand, Strategy};
use super::team::RampUp;

/// Whether an agent takes work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Availability {
    /// There, and takes work.
    Online,
    /// There, and takes no new work.
    Away,
    /// Not there.
    Offline,
}

/// An agent at the moment of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSnapshot {
    /// The agent.
    pub agent: AgentId,
    /// The `sub` of their tokens.
    pub subject: String,
    /// What `@` resolves.
    pub username: String,
    /// What to call them.
    pub display_name: String,
    /// Whether they take work, as they last said.
    pub availability: Availability,
    /// Whether that holds without heartbeats.
    pub pinned: bool,
    /// Until when it holds with them.
    pub lease_expires: Option<Timestamp>,
    /// Open conversations they have.
    pub open: i32,
    /// What these cost, and how much they get at once.
    pub room: Room,
    /// What they are good at; read only where somebody asks for it.
    pub skills: Vec<Skill>,
    /// When they last got a conversation.
    pub last_assign_time: Option<Timestamp>,
    /// Since when they are as available as they are.
    pub came_online: Timestamp,
    /// How many conversations queues gave them since, at once or because they accepted.
    pub given: i64,
    /// Offers that wait for their answer.
    pub offers: i64,
}

/// Whose turn it was last in a team.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Who got the last conversation; `None`: nobody yet.
    pub last: Option<AgentId>,
}

/// Why a candidate did not get a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Exclusion {
    /// They were offline.
    Offline,
    /// They were away.
    Away,
    /// No heartbeat had come in time.
    LeaseExpired,
    /// It was the turn of another.
    NotTheirTurn,
    /// It would have been more than their capacity.
    NoCapacity,
    /// They lack a skill, or its level.
    SkillMissing,
    /// They came online a short while ago, and have had as many as the team gives at first.
    RampingUp,
    /// Another had less to do, or was idle for longer.
    Busier,
    /// Another had the contact's last conversation.
    NotTheLastAgent,
    /// They were asked, and declined or did not answer in time, or had it and did not reply in time: not before everybody else.
    Refused,
    /// As many offers wait for their answer as anybody gets at once.
    OffersOpen,
}

impl Exclusion {
    /// Whether the candidate could have taken it: somebody else was preferred.
    #[must_use]
    pub fn is_preference(self) -> bool {
        matches!(self, Self::NotTheirTurn | Self::Busier | Self::NotTheLastAgent)
    }
}

/// An agent who was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The agent.
    pub agent: AgentId,
    /// Why not; `None` for the one who was chosen.
    pub exclusion: Option<Exclusion>,
    /// Open conversations they had.
    pub open: i32,
    /// What these cost beyond one unit each.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extra_units: i64,
    /// Units they get at once; 0: no limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub capacity: i64,
}

/// What is zero for most is not stored: a decision names every member of the team.
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// What a conversation wants of the team.
#[derive(Debug, Clone, Copy)]
pub struct Want<'a> {
    /// How it is shared.
    pub strategy: Strategy,
    /// What it asks of whoever takes it.
    pub demand: &'a Demand,
    /// Who last had a conversation of its contact, for [`Strategy::Sticky`].
    pub last_agent: Option<AgentId>,
    /// Who refused it, where the team asks first.
    pub refusals: &'a [Refusal],
}

/// What holds for all that a team decides at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// What its members get at first.
    pub ramp_up: RampUp,
    /// Whether they are asked first.
    pub offering: Offering,
    /// The moment.
    pub now: Timestamp,
}

/// What [`choose`] came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Who gets it; `None`: nobody can take it.
    pub chosen: Option<AgentId>,
    /// Whether it was by turns: the next turn is behind whoever got it.
    pub by_turn: bool,
    /// Everybody who was looked at, in the order of their turns.
    pub candidates: Vec<Candidate>,
    /// Whether everybody who can take it had refused it, and they are asked once more.
    pub anew: bool,
}

/// Chooses among those who can take it, as its strategy says.
///
/// By turns it is the first behind the one who got the last conversation by turn. `agents` is sorted by agent id, which is
/// the order of the turns. While the same n agents can take work, any n choices by turns in a row reach each of them once;
/// one who comes back takes their old place.
///
/// Who refused it is passed over. Once everybody who can take it has refused, all are asked again, though not before the last of them had
/// as long a rest as there is time to answer: where only one is there, they are not asked without end. Who had it and left its customer
/// without a reply gets it only if nobody else can take it even then.
#[must_use]
pub fn choose(agents: &[AgentSnapshot], want: Want<'_>, rotation: Rotation, terms: Terms) -> Choice {
    let choice = choose_once(agents, want, rotation, terms);
    if choice.chosen.is_some() {
        return choice;
    }
    let refused = |refusal: &&Refusal| {
        let by = |it: &Candidate| it.agent == refusal.agent && it.exclusion == Some(Exclusion::Refused);
        choice.candidates.iter().any(by)
    };
    match want.refusals.iter().filter(refused).map(|refusal| refusal.time).max() {
        Some(last) if last.plus(terms.offering.timeout) <= terms.now => {
            let passed: Vec<Refusal> = want.refusals.iter().copied().filter(Refusal::is_lasting).collect();
            let mut asked_anew = choose_once(agents, Want { refusals: &passed, ..want }, rotation, terms);
            if asked_anew.chosen.is_none() {
                asked_anew = choose_once(agents, Want { refusals: &[], ..want }, rotation, terms);
            }
            Choice { anew: true, ..asked_anew }
        }
        _ => choice,
    }
}

fn choose_once(agents: &[AgentSnapshot], want: Want<'_>, rotation: Rotation, terms: Terms) -> Choice {
    let refused = |agent: AgentId| want.refusals.iter().any(|refusal| refusal.agent == agent);
    let start = rotation.last.map_or(0, |last| agents.partition_point(|agent| agent.agent <= last));
    let turns = agents[start..].iter().chain(&agents[..start]);
    let mut candidates = Vec::with_capacity(agents.len());
    let mut first = None;
    let mut idlest: Option<&AgentSnapshot> = None;
    let mut known = None;
    for agent in turns {
        let unable = ineligible(agent, want.demand, terms);
        let exclusion = unable.or_else(|| refused(agent.agent).then_some(Exclusion::Refused));
        if exclusion.is_none() {
            first = first.or(Some(agent.agent));
            known = known.or(want.last_agent.filter(|last| *last == agent.agent));
            if idlest.is_none_or(|idlest| idleness(agent) > idleness(idlest)) {
                idlest = Some(agent);
            }
        }
        candidates.push(Candidate {
            agent: agent.agent,
            exclusion,
            open: agent.open,
            extra_units: agent.room.units - i64::from(agent.open),
            capacity: agent.room.capacity,
        });
    }
    let (chosen, preferred) = match (want.strategy, known) {
        (Strategy::Sticky, Some(known)) => (Some(known), Exclusion::NotTheLastAgent),
        (Strategy::RoundRobin | Strategy::Sticky, _) => (first, Exclusion::NotTheirTurn),
        (Strategy::Balanced | Strategy::SkillBased, _) => (idlest.map(|it| it.agent), Exclusion::Busier),
    };
    for candidate in &mut candidates {
        if candidate.exclusion.is_none() && Some(candidate.agent) != chosen {
            candidate.exclusion = Some(preferred);
        }
    }
    Choice { chosen, by_turn: preferred == Exclusion::NotTheirTurn, candidates, anew: false }
}

/// Grows with how little somebody has open, and of those who have as much, with how long ago they got something. Who is
/// the same in both goes by turn.
fn idleness(agent: &AgentSnapshot) -> Reverse<(i64, Option<Timestamp>)> {
    Reverse((agent.room.units, agent.last_assign_time))
}

/// Why an agent cannot take what asks for this; `None`: they can.
#[must_use]
pub fn ineligible(agent: &AgentSnapshot, demand: &Demand, terms: Terms) -> Option<Exclusion> {
    absent(agent, terms.now).or_else(|| {
        if !demand.is_met_by(&agent.skills) {
            Some(Exclusion::SkillMissing)
        } else if !agent.room.takes(demand.units) {
            Some(Exclusion::NoCapacity)
        } else if terms.ramp_up.holds(agent.came_online, agent.given + agent.offers, terms.now) {
            Some(Exclusion::RampingUp)
        } else if terms.offering.asks() && agent.offers >= MOST_OPEN {
            Some(Exclusion::OffersOpen)
        } else {
            None
        }
    })
}

/// Why an agent is not there; `None`: they take work.
fn absent(agent: &AgentSnapshot, now: Timestamp) -> Option<Exclusion> {
    match agent.availability {
        Availability::Offline => Some(Exclusion::Offline),
        Availability::Away => Some(Exclusion::Away),
        Availability::Online if agent.pinned => None,
        Availability::Online => match agent.lease_expires {
            Some(until) if until > now => None,
            _ => Some(Exclusion::LeaseExpired),
        },
    }
}

#[cfg(test)]
mod tests;
