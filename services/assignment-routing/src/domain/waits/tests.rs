use std::collections::BTreeSet;
use std::time::Duration;

use kernel::{Clock, Subject, WorkflowId};

use super::*;
use crate::domain::agent::Person;
use crate::domain::message::Direction;
use crate::domain::priority::Priority;
use crate::domain::reply_limit::LimitAction;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn person(clock: &Clock) -> Person {
    Person {
        agent: clock.new_id().into(),
        subject: Subject::parse("ana").unwrap(),
        username: "ana".into(),
        display_name: String::new(),
    }
}

/// One that its customer began at second 1, which nobody has.
fn begun(clock: &Clock) -> Conversation {
    let mut it = Conversation {
        id: clock.new_id().into(),
        version: 1,
        source: String::new(),
        channel: "chat".into(),
        external_id: "c-1".into(),
        contact: clock.new_id().into(),
        first_contact: None,
        subject: String::new(),
        tags: BTreeSet::new(),
        priority: Priority::Normal,
        status: Status::Open,
        assignee: None,
        team: Some(clock.new_id().into()),
        waiting_since: None,
        first_reply_time: None,
        last_activity_time: at(0),
        snooze_until: None,
        resolve_time: None,
        create_time: at(0),
        message_count: 0,
        last_inbound_position: 0,
        last_entry_time: at(0),
        units: 1,
        sharing: None,
        sla: None,
    };
    it.record(Direction::Inbound, at(1));
    it
}

fn timed(clock: &Clock, trigger: Trigger, after: Option<Duration>) -> Workflow {
    Workflow {
        id: WorkflowId::from_uuid(clock.new_id()),
        version: 1,
        name: "timed".into(),
        position: 0,
        disabled: false,
        trigger,
        after,
        condition: String::new(),
        actions: Vec::new(),
        create_time: at(0),
        update_time: at(0),
    }
}

fn having(it: &Conversation, who: Option<Person>) -> Conversation {
    Conversation { assignee: who, ..it.clone() }
}

// R9
#[test]
fn nobody_has_it_from_its_beginning_and_from_every_time_it_is_taken_away_or_opened() {
    let clock = Clock::system();
    let it = begun(&clock);
    let had = having(&it, Some(person(&clock)));
    assert_eq!(unassigned_since(None, &it, at(2)), Some(at(2)));
    assert_eq!(unassigned_since(None, &had, at(2)), None);
    assert_eq!(unassigned_since(Some(&it), &it, at(3)), None, "a wait that goes on");
    assert_eq!(unassigned_since(Some(&had), &it, at(4)), Some(at(4)));
    let mut aside = it.clone();
    aside.snooze(at(9));
    assert_eq!(unassigned_since(Some(&it), &aside, at(5)), None);
    assert_eq!(unassigned_since(Some(&aside), &it, at(6)), Some(at(6)));
}

// R9
#[test]
fn a_customer_waits_from_their_first_message_that_nobody_answered() {
    let clock = Clock::system();
    let it = begun(&clock);
    assert_eq!(unanswered_since(None, &it, at(2)), Some(at(1)));
    let mut again = it.clone();
    again.record(Direction::Inbound, at(5));
    assert_eq!(unanswered_since(Some(&it), &again, at(5)), None, "they wait already");
    let mut answered = again.clone();
    answered.record(Direction::Outbound, at(6));
    assert_eq!(unanswered_since(Some(&again), &answered, at(6)), None);
    let mut asked = answered.clone();
    asked.record(Direction::Inbound, at(7));
    assert_eq!(unanswered_since(Some(&answered), &asked, at(8)), Some(at(7)));
}

// R9
#[test]
fn who_was_put_aside_waits_anew_when_the_conversation_is_open_again() {
    let clock = Clock::system();
    let it = begun(&clock);
    let mut aside = it.clone();
    aside.snooze(at(100));
    assert_eq!(unanswered_since(Some(&it), &aside, at(2)), None);
    let mut opened = aside.clone();
    opened.reopen();
    assert_eq!(unanswered_since(Some(&aside), &opened, at(100)), Some(at(100)));
    let mut wrote = aside.clone();
    wrote.record(Direction::Inbound, at(50));
    assert_eq!(unanswered_since(Some(&aside), &wrote, at(50)), Some(at(50)));
}

// R9
#[test]
fn a_workflow_is_looked_at_when_the_wait_it_is_for_is_over() {
    let clock = Clock::system();
    let (it, minute) = (begun(&clock), Duration::from_secs(60));
    let had = having(&it, Some(person(&clock)));
    let unassigned = timed(&clock, Trigger::UnassignedFor, Some(minute));
    let no_reply = timed(&clock, Trigger::NoReplyFor, Some(minute));
    let other = timed(&clock, Trigger::MessageReceived, Some(minute));
    let timer = unassigned.timer(None, &it, at(2)).unwrap();
    assert_eq!((timer.subject, timer.kind, timer.due), (it.id.as_uuid(), TimerKind::Workflow, at(62)));
    assert_eq!(timer.rule, unassigned.id.to_string());
    assert_eq!(no_reply.timer(None, &it, at(2)).unwrap().due, at(61));
    assert_eq!((unassigned.timer(None, &had, at(2)), other.timer(None, &it, at(2))), (None, None));

    assert!(unassigned.is_awaited(&it) && !unassigned.is_awaited(&had));
    assert!(no_reply.is_awaited(&had) && !other.is_awaited(&it));
    let mut answered = had.clone();
    answered.record(Direction::Outbound, at(30));
    assert!(!no_reply.is_awaited(&answered));
}

// R13
#[test]
fn a_reply_is_awaited_of_whoever_has_it_and_of_each_anew() {
    let clock = Clock::system();
    let it = begun(&clock);
    let (ana, ben) = (having(&it, Some(person(&clock))), having(&it, Some(person(&clock))));
    let limit = ReplyLimit { limit: Duration::from_secs(60), then: LimitAction::Requeue };
    let due = |was: Option<&Conversation>, is: &Conversation, now| limit.timer(was, is, now).map(|it| it.due);
    assert_eq!(due(None, &it, at(2)), None, "nobody has it");
    assert_eq!(due(Some(&it), &ana, at(20)), Some(at(80)), "not before they got it");
    assert_eq!(due(Some(&ana), &ana, at(30)), None);
    assert_eq!(due(Some(&ana), &ben, at(40)), Some(at(100)));
    let mut answered = ben.clone();
    answered.record(Direction::Outbound, at(50));
    assert_eq!(due(Some(&ben), &answered, at(50)), None);
    let mut asked = answered.clone();
    asked.record(Direction::Inbound, at(55));
    assert_eq!(due(Some(&answered), &asked, at(56)), Some(at(116)), "since the customer's message came");
    let mut aside = asked.clone();
    aside.snooze(at(500));
    assert_eq!(due(Some(&aside), &asked, at(500)), Some(at(560)));
    let nobodys = Conversation { team: None, ..asked };
    assert_eq!(due(None, &nobodys, at(60)), None, "a limit is a team's");
}

// R9
#[test]
fn a_workflow_has_a_wait_if_and_only_if_one_triggers_it() {
    let clock = Clock::system();
    let unfit = |trigger, seconds: Option<u64>| {
        timed(&clock, trigger, seconds.map(Duration::from_secs)).unfit_wait().is_some()
    };
    for trigger in Trigger::TIMED {
        assert!(unfit(*trigger, None) && unfit(*trigger, Some(9)) && unfit(*trigger, Some(30 * 86_400 + 1)));
        assert!(!unfit(*trigger, Some(10)) && !unfit(*trigger, Some(30 * 86_400)));
    }
    assert!(unfit(Trigger::MessageReceived, Some(60)) && !unfit(Trigger::MessageReceived, None));
}
