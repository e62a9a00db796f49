use kernel::Clock;

use super::*;
use crate::domain::choose::Exclusion;

fn candidate(agent: AgentId, exclusion: Option<Exclusion>) -> Candidate {
    Candidate { agent, exclusion, open: 0, extra_units: 0, capacity: 0 }
}

// R15
#[test]
fn a_decision_reads_as_a_sentence() {
    let clock = Clock::system();
    let (ana, ben): (AgentId, AgentId) = (clock.new_id().into(), clock.new_id().into());
    let name = |agent| if agent == ana { "Ana".to_owned() } else { "Ben".to_owned() };
    let mut it =
        Decision::manual(clock.new_id().into(), clock.new_id().into(), clock.now(), ben, Outcome::Assigned);
    it.chosen = Some(ana);
    assert_eq!(it.summary(name), "Ben assigned it to Ana.");

    it.cause = Cause::Queue;
    it.candidates = vec![candidate(ben, Some(Exclusion::Away)), candidate(ana, None)];
    assert_eq!(
        it.summary(name),
        "It was the turn of Ana by round robin after it had waited in the queue: 1 of 2 agents could take it."
    );

    it.outcome = Outcome::Queued;
    it.candidates = vec![candidate(ben, Some(Exclusion::Away)), candidate(ana, Some(Exclusion::Offline))];
    assert_eq!(
        it.summary(name),
        "None of 2 agents could take it (1 offline, 1 away): it waits in the queue."
    );

    let unheard = Decision::unheard(it.id, it.conversation, it.decide_time).summary(name);
    assert!(unheard.contains("the contact is blocked") && unheard.contains("Unblock"), "{unheard}");
}

// R3, R10, R15
#[test]
fn a_decision_says_which_skills_it_asked_for_and_what_was_more_than_a_capacity() {
    let clock = Clock::system();
    let ana: AgentId = clock.new_id().into();
    let (id, conversation) = (clock.new_id().into(), clock.new_id().into());
    let mut it = Decision::manual(id, conversation, clock.now(), ana, Outcome::Assigned);
    (it.chosen, it.over_capacity) = (Some(ana), true);
    let name = |_| "Ana".to_owned();
    assert_eq!(it.summary(name), "Ana assigned it to Ana, which is more than their capacity.");

    (it.cause, it.strategy) = (Cause::Workflow, Some(Strategy::SkillBased));
    it.required_skills = vec![Skill { name: "german".into(), level: 3 }];
    it.relaxation = Relaxation::Levels;
    it.candidates = vec![candidate(ana, None)];
    assert_eq!(
        it.summary(name),
        "Ana had the least to do of those with the skills, and was idle for longest of those: \
         1 of 1 agents could take it; it requires german 3, by now at any level."
    );

    it.outcome = Outcome::Queued;
    it.relaxation = Relaxation::Nothing;
    it.candidates =
        [Exclusion::SkillMissing, Exclusion::NoCapacity].map(|why| candidate(ana, Some(why))).to_vec();
    assert_eq!(
        it.summary(name),
        "None of 2 agents could take it (1 without the skills, 1 without room for it): it waits in the queue; \
         it requires german 3."
    );
}

// Rolling updates, performance: what was stored before, and what most decisions still are.
#[test]
fn a_decision_without_units_and_skills_is_stored_as_it_was_before_there_were_any() {
    let clock = Clock::system();
    let it = Decision::unrouted(clock.new_id().into(), clock.new_id().into(), clock.now(), Vec::new());
    let stored = serde_json::to_value(&it).unwrap();
    for field in ["units", "required_skills", "relaxation", "last_agent", "over_capacity"] {
        assert_eq!(stored.get(field), None);
    }
    assert_eq!(serde_json::from_value::<Decision>(stored).unwrap(), it);
    let one = serde_json::to_value(candidate(clock.new_id().into(), None)).unwrap();
    assert_eq!((one.get("extra_units"), one.get("capacity")), (None, None));
}
