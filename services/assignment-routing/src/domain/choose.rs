//! Who gets a conversation: a pure function of the agents, the turn and the time.

use kernel::{AgentId, Timestamp};
use serde::{Deserialize, Serialize};

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
}

/// What [`choose`] came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Who gets it; `None`: nobody can take it.
    pub chosen: Option<AgentId>,
    /// Everybody who was looked at, in the order of their turns.
    pub candidates: Vec<Candidate>,
}

/// Chooses by strict turns: the first eligible agent behind the one who got the last conversation.
///
/// `agents` is sorted by agent id, which is the order of the turns. While the same n agents stay eligible, any n choices
/// in a row reach each of them once; one who comes back takes their old place.
#[must_use]
pub fn choose(agents: &[AgentSnapshot], rotation: &Rotation, now: Timestamp) -> Choice {
    let start = rotation.last.map_or(0, |last| agents.partition_point(|agent| agent.agent <= last));
    let turns = agents[start..].iter().chain(&agents[..start]);
    let mut chosen = None;
    let candidates = turns
        .map(|agent| {
            let exclusion = match (ineligible(agent, now), chosen) {
                (Some(why), _) => Some(why),
                (None, Some(_)) => Some(Exclusion::NotTheirTurn),
                (None, None) => {
                    chosen = Some(agent.agent);
                    None
                }
            };
            Candidate { agent: agent.agent, exclusion, open: agent.open }
        })
        .collect();
    Choice { chosen, candidates }
}

/// Why an agent cannot take work now; `None`: they can.
#[must_use]
pub fn ineligible(agent: &AgentSnapshot, now: Timestamp) -> Option<Exclusion> {
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
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::time::Duration;

    use kernel::Clock;
    use proptest::prelude::*;

    use super::*;

    fn agents(count: usize) -> Vec<AgentSnapshot> {
        let clock = Clock::system();
        let mut agents: Vec<_> = (0..count)
            .map(|index| AgentSnapshot {
                agent: AgentId::from_uuid(clock.new_id()),
                subject: format!("agent-{index}"),
                username: format!("agent-{index}"),
                display_name: String::new(),
                availability: Availability::Online,
                pinned: true,
                lease_expires: None,
                open: 0,
            })
            .collect();
        agents.sort_by_key(|agent| agent.agent);
        agents
    }

    fn assign(agents: &[AgentSnapshot], rotation: &mut Rotation, times: usize) -> Vec<AgentId> {
        let now = Clock::system().now();
        let mut got = Vec::new();
        for _ in 0..times {
            if let Some(chosen) = choose(agents, rotation, now).chosen {
                rotation.last = Some(chosen);
                got.push(chosen);
            }
        }
        got
    }

    // R2
    #[test]
    fn a_lease_counts_until_its_last_moment_and_a_pin_without_one() {
        let now = Clock::system().now();
        let mut agent = agents(1).remove(0);
        assert_eq!(ineligible(&agent, now), None);
        agent.pinned = false;
        assert_eq!(ineligible(&agent, now), Some(Exclusion::LeaseExpired));
        agent.lease_expires = Some(now.plus(Duration::from_micros(1)));
        assert_eq!(ineligible(&agent, now), None);
        agent.availability = Availability::Away;
        assert_eq!(ineligible(&agent, now), Some(Exclusion::Away));
    }

    // R11
    #[test]
    fn nobody_is_chosen_when_nobody_can_take_it() {
        let mut everybody = agents(3);
        for agent in &mut everybody {
            agent.availability = Availability::Offline;
        }
        let choice = choose(&everybody, &Rotation::default(), Clock::system().now());
        assert_eq!(choice.chosen, None);
        assert!(choice.candidates.iter().all(|candidate| candidate.exclusion == Some(Exclusion::Offline)));
    }

    proptest! {
        // R10
        #[test]
        fn any_n_turns_in_a_row_reach_each_of_n_eligible_agents_once(
            eligible in prop::collection::vec(any::<bool>(), 1..12),
            start in any::<prop::sample::Index>(),
            rounds in 1usize..4,
        ) {
            let mut everybody = agents(eligible.len());
            for (agent, online) in everybody.iter_mut().zip(&eligible) {
                agent.availability = if *online { Availability::Online } else { Availability::Away };
            }
            let n = eligible.iter().filter(|online| **online).count();
            let mut rotation = Rotation { last: Some(start.get(&everybody).agent) };
            let got = assign(&everybody, &mut rotation, n * rounds);
            prop_assert_eq!(got.len(), n * rounds);
            for window in got.windows(n.max(1)) {
                prop_assert_eq!(window.iter().collect::<HashSet<_>>().len(), window.len());
            }
        }

        // R10
        #[test]
        fn counts_differ_by_one_at_most_while_the_team_stays_the_same(count in 1usize..20, times in 0usize..200) {
            let everybody = agents(count);
            let got = assign(&everybody, &mut Rotation::default(), times);
            let mut counts: HashMap<AgentId, usize> = everybody.iter().map(|agent| (agent.agent, 0)).collect();
            for agent in got {
                *counts.entry(agent).or_default() += 1;
            }
            let most = counts.values().max().copied().unwrap_or_default();
            let fewest = counts.values().min().copied().unwrap_or_default();
            prop_assert!(most - fewest <= 1);
        }

        // R15
        #[test]
        fn every_candidate_is_explained_and_exactly_the_chosen_one_is_not_excluded(
            eligible in prop::collection::vec(any::<bool>(), 0..10),
        ) {
            let mut everybody = agents(eligible.len());
            for (agent, online) in everybody.iter_mut().zip(&eligible) {
                agent.availability = if *online { Availability::Online } else { Availability::Offline };
            }
            let choice = choose(&everybody, &Rotation::default(), Clock::system().now());
            prop_assert_eq!(choice.candidates.len(), everybody.len());
            let free: Vec<AgentId> =
                choice.candidates.iter().filter(|c| c.exclusion.is_none()).map(|c| c.agent).collect();
            prop_assert_eq!(free, choice.chosen.into_iter().collect::<Vec<_>>());
        }
    }
}
