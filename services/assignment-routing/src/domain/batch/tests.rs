use std::collections::HashMap;
use std::time::Duration;

use kernel::{Clock, TeamId};

use super::super::agent::Skill;
use super::super::choose::{AgentSnapshot, Availability, Exclusion, Terms};
use super::super::decision::{Cause, Outcome};
use super::super::load::Room;
use super::super::offer::{MOST_OPEN, Mode, OfferId, Offering};
use super::super::sharing::Strategy;
use super::super::team::RampUp;
use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

// R11
#[test]
fn a_batch_is_smaller_the_more_members_each_of_its_decisions_names() {
    assert_eq!([0, 1, 100].map(|members| fitting(200, members)), [200; 3]);
    assert_eq!([101, 500, 20_001].map(|members| fitting(200, members)), [198, 40, 1]);
    assert_eq!(fitting(0, 5), 1);
}

fn agents(clock: &Clock, availability: Availability) -> Vec<AgentSnapshot> {
    let agent = |name: &str| AgentSnapshot {
        agent: clock.new_id().into(),
        subject: name.into(),
        username: name.into(),
        display_name: name.into(),
        availability,
        pinned: true,
        lease_expires: None,
        open: 0,
        room: Room::default(),
        skills: Vec::new(),
        last_assign_time: None,
        came_online: Timestamp::from_micros(0),
        given: 0,
        offers: 0,
    };
    vec![agent("ana"), agent("ben"), agent("cem")]
}

fn queue(clock: &Clock, length: usize, explained: bool) -> Vec<Waiting> {
    let waiting = || Waiting {
        conversation: clock.new_id().into(),
        version: 1,
        last_entry_time: Timestamp::from_micros(0),
        contact: clock.new_id().into(),
        units: 1,
        sharing: Sharing::default(),
        queue_time: NOW,
        workflow: Some(clock.new_id().into()),
        traces: Vec::new(),
        explained,
        refusals: Vec::new(),
    };
    std::iter::repeat_with(waiting).take(length).collect()
}

fn desk(agents: Vec<AgentSnapshot>) -> Desk {
    let terms = Terms { ramp_up: RampUp::default(), offering: Offering::default(), now: NOW };
    Desk::new(Clock::system().new_id().into(), agents, Rotation::default(), terms)
}

/// A desk that asks first, at a moment.
fn asking(agents: Vec<AgentSnapshot>, now: Timestamp) -> Desk {
    let offering = Offering { mode: Mode::Offer, ..Offering::default() };
    let terms = Terms { ramp_up: RampUp::default(), offering, now };
    let team: TeamId = Clock::system().new_id().into();
    Desk::new(team, agents, Rotation::default(), terms)
}

fn decided_by(mut desk: Desk, queue: Vec<Waiting>) -> Batch {
    let clock = Clock::system();
    desk.decide(queue, 100, || clock.new_id());
    desk.done().0
}

fn decided(queue: Vec<Waiting>, agents: Vec<AgentSnapshot>) -> Batch {
    decided_by(desk(agents), queue)
}

// R10
#[test]
fn a_batch_takes_turns_as_single_choices_would() {
    let clock = Clock::system();
    let batch = decided(queue(&clock, 7, false), agents(&clock, Availability::Online));
    let counts: Vec<i64> = batch.gifts.values().map(|gift| gift.load.conversations).collect();
    assert_eq!(counts, [3, 2, 2]);
    assert_eq!(batch.rotation.last, batch.given.last().map(|given| given.agent));
    let opens: Vec<i32> = batch.decisions.iter().map(|decision| decision.candidates[0].open).collect();
    assert_eq!(opens, [0, 0, 0, 1, 1, 1, 2], "each decision saw the load that those before it made");
}

// R11, R15
#[test]
fn that_nobody_can_take_it_is_said_once_and_the_cause_then_is_the_queue() {
    let clock = Clock::system();
    let away = decided(queue(&clock, 2, false), agents(&clock, Availability::Away));
    assert_eq!((away.given.len(), away.waiting.len(), away.decisions.len()), (0, 2, 2));
    let again = decided(queue(&clock, 2, true), agents(&clock, Availability::Away));
    assert_eq!(again, Batch::default());
    let back = decided(queue(&clock, 1, true), agents(&clock, Availability::Online));
    assert_eq!(back.decisions[0].cause, Cause::Queue);
}

// R3, R11
#[test]
fn a_batch_fills_everybody_up_to_their_capacity_and_what_is_smaller_passes_what_is_too_much() {
    let clock = Clock::system();
    let mut everybody = agents(&clock, Availability::Online);
    for agent in &mut everybody {
        agent.room.capacity = 2;
    }
    let mut waiting = queue(&clock, 6, false);
    for (place, units) in [(0, 2), (1, 3), (2, 2), (3, 2), (4, 1)] {
        waiting[place].units = units;
    }
    // The second is more than anybody ever gets; the last two find nobody with room.
    let batch = decided(waiting.clone(), everybody);
    let given: Vec<_> = batch.given.iter().map(|given| given.conversation).collect();
    assert_eq!(given, [0, 2, 3].map(|place| waiting[place].conversation));
    assert!(batch.gifts.values().all(|gift| gift.load == Load::one(2)));
    let full = &batch.decisions[4].candidates;
    assert!(full.iter().all(|candidate| candidate.exclusion == Some(Exclusion::NoCapacity)));
    assert_eq!((full[0].open, full[0].extra_units, full[0].capacity), (1, 1, 2));
}

// R10, R11
#[test]
fn who_asks_for_skills_that_nobody_has_does_not_stand_in_the_way() {
    let clock = Clock::system();
    let everybody = agents(&clock, Availability::Online);
    let german = |level| vec![Skill { name: "german".into(), level }];
    let mut waiting = queue(&clock, 3, false);
    for (place, level) in [(0, 5), (2, 2)] {
        let required_skills = german(level);
        waiting[place].sharing =
            Sharing { strategy: Strategy::SkillBased, required_skills, relax_after: None };
    }
    let mut desk = desk(everybody.clone());
    desk.know_skills(HashMap::from([(everybody[1].agent, german(2))]));
    let batch = decided_by(desk, waiting.clone());
    assert_eq!(batch.waiting, [waiting[0].conversation]);
    let given: Vec<_> = batch.given.iter().map(|given| (given.conversation, given.agent)).collect();
    assert_eq!(
        given,
        [(waiting[1].conversation, everybody[0].agent), (waiting[2].conversation, everybody[1].agent)]
    );
    assert_eq!(batch.rotation.last, Some(everybody[0].agent), "skills use up no turn");
}

// R10
#[test]
fn a_batch_that_is_balanced_evens_out_what_people_have() {
    let clock = Clock::system();
    let mut everybody = agents(&clock, Availability::Online);
    everybody[0].room.units = 3;
    let mut waiting = queue(&clock, 9, false);
    for it in &mut waiting {
        it.sharing.strategy = Strategy::Balanced;
    }
    let batch = decided(waiting, everybody.clone());
    let got = |agent: usize| batch.gifts[&everybody[agent].agent].load.units;
    assert_eq!([got(0) + 3, got(1), got(2)], [4, 4, 4]);
}

// R10
#[test]
fn of_two_of_one_contact_in_a_batch_the_second_goes_to_who_got_the_first() {
    let clock = Clock::system();
    let mut waiting = queue(&clock, 3, false);
    for it in &mut waiting {
        it.sharing.strategy = Strategy::Sticky;
    }
    waiting[2].contact = waiting[0].contact;
    let batch = decided(waiting, agents(&clock, Availability::Online));
    assert_eq!(batch.given[2].agent, batch.given[0].agent);
    assert_ne!(batch.given[1].agent, batch.given[0].agent);
}

// R12
#[test]
fn a_team_that_asks_offers_by_turns_and_reserves_what_each_costs() {
    let clock = Clock::system();
    let mut everybody = agents(&clock, Availability::Online);
    everybody[0].room.capacity = 1;
    let mut waiting = queue(&clock, 4, false);
    waiting[1].units = 3;
    let batch = decided_by(asking(everybody.clone(), NOW), waiting.clone());
    assert_eq!((batch.given.len(), batch.offered.len()), (0, 4));
    let asked: Vec<_> = batch.offered.iter().map(|offer| (offer.conversation, offer.agent)).collect();
    let turns = [0, 1, 2, 1].map(|agent| everybody[agent].agent);
    assert_eq!(
        asked,
        waiting.iter().map(|it| it.conversation).zip(turns).collect::<Vec<_>>(),
        "she has no room for a second"
    );
    assert_eq!(batch.rotation.last, Some(everybody[1].agent));
    let ben = &batch.gifts[&everybody[1].agent];
    assert_eq!((ben.load.conversations, ben.load.offers, ben.load.offered_units), (0, 2, 4));
    for (offer, decision) in batch.offered.iter().zip(&batch.decisions) {
        assert_eq!((decision.outcome, decision.offer), (Outcome::Offered, Some(offer.id)));
        assert_eq!(offer.expire_time, NOW.plus(Offering::DEFAULT_TIMEOUT));
    }
    assert_eq!(batch.decisions[3].candidates[0].exclusion, Some(Exclusion::NoCapacity));
    let ids: std::collections::HashSet<OfferId> = batch.offered.iter().map(|offer| offer.id).collect();
    assert_eq!(ids.len(), 4);
}

// R12
#[test]
fn who_refused_is_asked_again_once_everybody_was_and_after_a_rest() {
    let clock = Clock::system();
    let everybody = agents(&clock, Availability::Online);
    let rest = Offering::DEFAULT_TIMEOUT;
    let mut waiting = queue(&clock, 2, false);
    for agent in &everybody[..2] {
        waiting[0].refusals.push(Refusal { agent: agent.agent, time: NOW });
    }
    let batch = decided_by(asking(everybody.clone(), NOW), waiting.clone());
    let asked: Vec<_> = batch.offered.iter().map(|offer| offer.agent).collect();
    assert_eq!(asked, [everybody[2].agent, everybody[0].agent], "the turns go on behind who was asked");
    assert_eq!(batch.decisions[0].candidates[0].exclusion, Some(Exclusion::Refused));

    waiting[0].refusals.push(Refusal { agent: everybody[2].agent, time: NOW.plus(Duration::from_secs(9)) });
    let late = NOW.plus(rest).plus(Duration::from_secs(9));
    let batch = decided_by(asking(everybody.clone(), late.minus(Duration::from_micros(1))), waiting.clone());
    assert_eq!(batch.waiting, [waiting[0].conversation], "not before the last of them had a rest");
    assert_eq!(batch.offered[0].conversation, waiting[1].conversation, "and nobody behind it waits for that");
    let batch = decided_by(asking(everybody.clone(), late), waiting.clone());
    assert_eq!((batch.offered.len(), batch.offered[0].agent), (2, everybody[0].agent));
    assert_eq!(batch.anew, [waiting[0].conversation]);

    let mut away = everybody.clone();
    away[2].availability = Availability::Away;
    waiting[0].refusals.truncate(2);
    let batch = decided_by(asking(away, late), waiting.clone());
    assert_eq!(batch.anew, [waiting[0].conversation], "who is not there is not waited for");
}

// R12
#[test]
fn nobody_is_asked_about_more_than_they_can_weigh_at_once() {
    let clock = Clock::system();
    let ana = agents(&clock, Availability::Online).remove(0);
    let most = usize::try_from(MOST_OPEN).unwrap();
    let batch = decided_by(asking(vec![ana.clone()], NOW), queue(&clock, most + 1, false));
    assert_eq!((batch.offered.len(), batch.waiting.len()), (most, 1));
    assert_eq!(batch.decisions[most].candidates[0].exclusion, Some(Exclusion::OffersOpen));
    let offers = AgentSnapshot { offers: MOST_OPEN, ..ana };
    assert_eq!(decided(queue(&clock, 1, false), vec![offers]).given.len(), 1, "what is given is no offer");
}
