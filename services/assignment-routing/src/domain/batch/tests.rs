use kernel::Clock;

use super::super::choose::{Availability, Exclusion};
use super::super::load::Room;
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
    };
    std::iter::repeat_with(waiting).take(length).collect()
}

fn desk(agents: Vec<AgentSnapshot>) -> Desk {
    let terms = Terms { ramp_up: RampUp::default(), now: NOW };
    Desk::new(Clock::system().new_id().into(), agents, Rotation::default(), terms)
}

fn decided_by(mut desk: Desk, queue: Vec<Waiting>) -> Batch {
    let clock = Clock::system();
    desk.decide(queue, 100, || clock.new_id().into());
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
    assert!(batch.gifts.values().all(|gift| gift.load == Load { conversations: 1, units: 2 }));
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
