use std::collections::{HashMap, HashSet};
use std::time::Duration;

use kernel::Clock;
use proptest::prelude::*;

use super::super::sharing::Strategy;
use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

static ANYBODY: Demand = Demand { units: 1, skills: Vec::new() };

fn terms() -> Terms {
    Terms { ramp_up: RampUp::default(), offering: Offering::default(), now: NOW }
}

fn want(strategy: Strategy, demand: &Demand) -> Want<'_> {
    Want { strategy, demand, last_agent: None, refusals: &[] }
}

pub(crate) fn agents(count: usize) -> Vec<AgentSnapshot> {
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
            room: Room::default(),
            skills: Vec::new(),
            last_assign_time: None,
            came_online: Timestamp::from_micros(0),
            given: 0,
            offers: 0,
        })
        .collect();
    agents.sort_by_key(|agent| agent.agent);
    agents
}

fn assign(agents: &[AgentSnapshot], rotation: &mut Rotation, times: usize) -> Vec<AgentId> {
    let mut got = Vec::new();
    for _ in 0..times {
        if let Some(chosen) = choose(agents, want(Strategy::RoundRobin, &ANYBODY), *rotation, terms()).chosen
        {
            rotation.last = Some(chosen);
            got.push(chosen);
        }
    }
    got
}

// R2
#[test]
fn a_lease_counts_until_its_last_moment_and_a_pin_without_one() {
    let mut agent = agents(1).remove(0);
    assert_eq!(ineligible(&agent, &ANYBODY, terms()), None);
    agent.pinned = false;
    assert_eq!(ineligible(&agent, &ANYBODY, terms()), Some(Exclusion::LeaseExpired));
    agent.lease_expires = Some(NOW.plus(Duration::from_micros(1)));
    assert_eq!(ineligible(&agent, &ANYBODY, terms()), None);
    agent.availability = Availability::Away;
    assert_eq!(ineligible(&agent, &ANYBODY, terms()), Some(Exclusion::Away));
}

// R3
#[test]
fn nobody_gets_more_than_their_capacity_and_zero_is_no_limit() {
    let mut agent = agents(1).remove(0);
    agent.room = Room { units: 4, capacity: 6 };
    let asks = |agent: &AgentSnapshot, units| ineligible(agent, &Demand { units, skills: vec![] }, terms());
    assert_eq!([asks(&agent, 2), asks(&agent, 3)], [None, Some(Exclusion::NoCapacity)]);
    agent.room.capacity = 0;
    assert_eq!(asks(&agent, 100), None);
}

// R11
#[test]
fn who_just_came_online_gets_so_many_until_the_time_is_over() {
    let mut agent = agents(1).remove(0);
    agent.came_online = NOW.minus(Duration::from_secs(59));
    agent.given = 2;
    let ramp = |limit, seconds| Terms { ramp_up: RampUp { limit, seconds }, ..terms() };
    assert_eq!(ineligible(&agent, &ANYBODY, ramp(3, 60)), None);
    assert_eq!(ineligible(&agent, &ANYBODY, ramp(2, 60)), Some(Exclusion::RampingUp));
    assert_eq!(ineligible(&agent, &ANYBODY, ramp(2, 59)), None);
    assert_eq!(ineligible(&agent, &ANYBODY, ramp(0, 60)), None);
}

// R11
#[test]
fn nobody_is_chosen_when_nobody_can_take_it() {
    let mut everybody = agents(3);
    for agent in &mut everybody {
        agent.availability = Availability::Offline;
    }
    let choice = choose(&everybody, want(Strategy::RoundRobin, &ANYBODY), Rotation::default(), terms());
    assert_eq!(choice.chosen, None);
    assert!(choice.candidates.iter().all(|candidate| candidate.exclusion == Some(Exclusion::Offline)));
}

// R10
#[test]
fn balanced_takes_who_has_the_fewest_units_and_of_those_who_is_idle_for_longest() {
    let mut everybody = agents(4);
    let units = [3, 1, 1, 1];
    let seconds = [None, Some(30), Some(10), Some(20)];
    for (agent, (units, seconds)) in everybody.iter_mut().zip(units.into_iter().zip(seconds)) {
        agent.room.units = units;
        agent.last_assign_time = seconds.map(|seconds| Timestamp::from_micros(seconds * 1_000_000));
    }
    let balanced = |agents: &[AgentSnapshot]| {
        choose(agents, want(Strategy::Balanced, &ANYBODY), Rotation::default(), terms())
    };
    let choice = balanced(&everybody);
    assert_eq!(choice.chosen, Some(everybody[2].agent));
    assert!(!choice.by_turn);
    assert_eq!(choice.candidates[0].exclusion, Some(Exclusion::Busier));
    everybody[3].last_assign_time = None;
    assert_eq!(
        balanced(&everybody).chosen,
        Some(everybody[3].agent),
        "who never got any is idle for longest"
    );
}

// R10
#[test]
fn skill_based_takes_who_has_every_skill_at_its_level() {
    let skill = |name: &str, level| Skill { name: name.into(), level };
    let mut everybody = agents(3);
    everybody[0].skills = vec![skill("billing", 2)];
    everybody[1].skills = vec![skill("billing", 3), skill("german", 1)];
    everybody[1].room.units = 9;
    let demand = Demand { units: 1, skills: vec![skill("billing", 3)] };
    let choice = choose(&everybody, want(Strategy::SkillBased, &demand), Rotation::default(), terms());
    assert_eq!(choice.chosen, Some(everybody[1].agent));
    let why: Vec<_> = choice.candidates.iter().map(|candidate| candidate.exclusion).collect();
    assert_eq!(why, [Some(Exclusion::SkillMissing), None, Some(Exclusion::SkillMissing)]);
}

// R10
#[test]
fn sticky_takes_the_last_agent_if_they_can_and_otherwise_whose_turn_it_is() {
    let mut everybody = agents(3);
    let last = everybody[2].agent;
    let sticky = |agents: &[AgentSnapshot]| {
        let want = Want { last_agent: Some(last), ..want(Strategy::Sticky, &ANYBODY) };
        choose(agents, want, Rotation::default(), terms())
    };
    let choice = sticky(&everybody);
    assert_eq!((choice.chosen, choice.by_turn), (Some(last), false), "no turn is used up");
    assert_eq!(choice.candidates[0].exclusion, Some(Exclusion::NotTheLastAgent));
    everybody[2].availability = Availability::Away;
    let choice = sticky(&everybody);
    assert_eq!((choice.chosen, choice.by_turn), (Some(everybody[0].agent), true));
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

    // R3, R10, R15
    #[test]
    fn every_candidate_is_explained_and_exactly_the_chosen_one_is_not_excluded(
        people in prop::collection::vec((any::<bool>(), 0i64..6, 0i64..4), 0..10),
        strategy in prop::sample::select(vec![
            Strategy::RoundRobin, Strategy::Balanced, Strategy::SkillBased, Strategy::Sticky,
        ]),
        units in 1i64..4,
        last in any::<prop::sample::Index>(),
    ) {
        let mut everybody = agents(people.len());
        for (agent, (online, has, capacity)) in everybody.iter_mut().zip(&people) {
            agent.availability = if *online { Availability::Online } else { Availability::Offline };
            agent.room = Room { units: *has, capacity: *capacity };
        }
        let demand = Demand { units, skills: vec![] };
        let last_agent = (!everybody.is_empty()).then(|| last.get(&everybody).agent);
        let want = Want { strategy, demand: &demand, last_agent, refusals: &[] };
        let choice = choose(&everybody, want, Rotation::default(), terms());
        prop_assert_eq!(choice.candidates.len(), everybody.len());
        let free: Vec<AgentId> =
            choice.candidates.iter().filter(|c| c.exclusion.is_none()).map(|c| c.agent).collect();
        prop_assert_eq!(free, choice.chosen.into_iter().collect::<Vec<_>>());
        let could = everybody.iter().any(|agent| ineligible(agent, &demand, terms()).is_none());
        prop_assert_eq!(could, choice.chosen.is_some(), "who can take it gets it");
        if let Some(agent) = everybody.iter().find(|agent| Some(agent.agent) == choice.chosen) {
            prop_assert!(agent.room.takes(units));
        }
    }
}
