mod at_random;

use std::collections::BTreeMap;

use kernel::Clock as Ids;

use super::news::{News, sooner};
use super::policies::{Policies, condition};
use super::*;
use crate::domain::agent::WorkingHours;
use crate::domain::conversation::{Conversation, Status};
use crate::domain::facts::Facts;
use crate::domain::hours::{BusinessWeek, Hours};
use crate::domain::message::Direction::{Inbound, Outbound};
use crate::domain::priority::Priority;
use zones::Zone;

const MINUTE: i64 = 60;

/// So many seconds after 2026-01-01T00:00:00Z, a Thursday.
fn at(second: i64) -> Timestamp {
    Timestamp::from_micros((1_767_225_600 + second) * 1_000_000)
}

fn seconds(count: i64) -> Duration {
    Duration::from_secs(count.unsigned_abs())
}

fn policy(ids: &Ids, condition: &str, targets: [Option<i64>; 3]) -> SlaPolicy {
    let [first_response, next_response, resolution] = targets.map(|target| target.map(seconds));
    SlaPolicy {
        id: ids.new_id().into(),
        version: 1,
        name: "gold".into(),
        position: 0,
        disabled: false,
        condition: condition.into(),
        targets: Targets { first_response, next_response, resolution },
        warn_percent: 80,
        hours_of: None,
        create_time: at(-1_000_000),
        update_time: at(-1_000_000),
    }
}

/// A conversation whose first message came at the beginning.
fn begun(ids: &Ids) -> Conversation {
    let facts = Facts::default();
    let mut it = Conversation {
        id: ids.new_id().into(),
        version: 1,
        source: "airline".into(),
        channel: "chat".into(),
        external_id: "c-1".into(),
        contact: ids.new_id().into(),
        first_contact: None,
        subject: String::new(),
        tags: facts.tags,
        priority: Priority::Normal,
        status: Status::Open,
        assignee: None,
        team: None,
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
    it.record(Inbound, at(0));
    it
}

fn all(policies: Vec<SlaPolicy>) -> Policies {
    Policies::compile(policies, BTreeMap::new())
}

fn state(it: &Conversation, metric: Metric, now: i64) -> Option<State> {
    it.sla.as_ref().and_then(|sla| sla.clock(metric)).map(|clock| clock.state(at(now)))
}

fn told(it: &mut Conversation, now: i64) -> Vec<News> {
    it.sla.as_mut().map(|sla| sla.tell(at(now))).unwrap_or_default()
}

fn kinds(news: &[News]) -> Vec<(Metric, &'static str)> {
    let kind = |it: &News| match it {
        News::Warned { metric, .. } => (*metric, "warned"),
        News::Breached { metric, .. } => (*metric, "breached"),
        News::Ended { metric, .. } => (*metric, "ended"),
    };
    news.iter().map(kind).collect()
}

// R17
#[test]
fn a_first_answer_in_time_meets_its_target_and_the_next_message_begins_the_next_one() {
    let ids = Ids::system();
    let policies = all(vec![policy(&ids, "", [Some(10 * MINUTE), Some(5 * MINUTE), None])]);
    let mut it = begun(&ids);
    policies.follow(&mut it, at(0));
    let timer = sooner(None, &it).unwrap();
    assert_eq!((timer.due, timer.subject), (at(8 * MINUTE), it.id.as_uuid()), "at 80 percent");
    assert_eq!(state(&it, Metric::FirstResponse, 0), Some(State::Pending));
    assert_eq!(state(&it, Metric::FirstResponse, 9 * MINUTE), Some(State::Warned));
    let was = it.clone();
    it.record(Outbound, at(9 * MINUTE));
    policies.follow(&mut it, at(9 * MINUTE));
    assert_eq!(
        (state(&it, Metric::FirstResponse, 99 * MINUTE), state(&it, Metric::NextResponse, 0)),
        (Some(State::Met), None)
    );
    assert_eq!(sooner(Some(&was), &it), None, "an answer sets no timer");
    assert!(told(&mut it, 99 * MINUTE).is_empty());
    it.record(Inbound, at(20 * MINUTE));
    policies.follow(&mut it, at(20 * MINUTE));
    it.record(Inbound, at(22 * MINUTE));
    policies.follow(&mut it, at(22 * MINUTE));
    let next = it.sla.as_ref().unwrap().clock(Metric::NextResponse).unwrap();
    assert_eq!(
        (next.start, next.due),
        (at(20 * MINUTE), Some(at(25 * MINUTE))),
        "from the first that nobody answered"
    );
}

// R17
#[test]
fn each_thing_is_told_once_and_a_late_answer_is_told_too() {
    let ids = Ids::system();
    let policies = all(vec![policy(&ids, "", [Some(10 * MINUTE), None, None])]);
    let mut it = begun(&ids);
    policies.follow(&mut it, at(0));
    assert!(told(&mut it, 8 * MINUTE - 1).is_empty());
    assert_eq!(kinds(&told(&mut it, 8 * MINUTE)), [(Metric::FirstResponse, "warned")]);
    assert!(told(&mut it, 9 * MINUTE).is_empty());
    policies.follow(&mut it, at(10 * MINUTE));
    assert_eq!(kinds(&told(&mut it, 10 * MINUTE)), [(Metric::FirstResponse, "breached")]);
    policies.follow(&mut it, at(11 * MINUTE));
    assert!(told(&mut it, 11 * MINUTE).is_empty());
    assert_eq!(it.sla_timer(), None, "nothing is left to look at until somebody answers");
    it.record(Outbound, at(12 * MINUTE));
    policies.follow(&mut it, at(12 * MINUTE));
    // Before anybody looks, the customer writes again: what has to be told is not lost for that.
    it.record(Inbound, at(13 * MINUTE));
    policies.follow(&mut it, at(13 * MINUTE));
    assert!(it.sla_timer().unwrap().due <= at(13 * MINUTE));
    let end = News::Ended { metric: Metric::FirstResponse, start: at(0), end: at(12 * MINUTE) };
    assert_eq!(told(&mut it, 13 * MINUTE), [end]);
    assert_eq!(state(&it, Metric::FirstResponse, 13 * MINUTE), Some(State::Breached));
}

// R17
#[test]
fn what_nobody_noticed_in_time_is_found_out_by_the_answer() {
    let ids = Ids::system();
    let policies = all(vec![policy(&ids, "", [Some(10 * MINUTE), Some(MINUTE), None])]);
    let mut it = begun(&ids);
    policies.follow(&mut it, at(0));
    it.record(Outbound, at(11 * MINUTE));
    policies.follow(&mut it, at(11 * MINUTE));
    assert!(sooner(None, &it).unwrap().due <= at(11 * MINUTE), "it is looked at, at once");
    let news = told(&mut it, 11 * MINUTE);
    assert!(
        matches!(&news[..], [News::Breached { end: Some(end), due, .. }] if (*due, *end) == (at(10 * MINUTE), at(11 * MINUTE)))
    );
    // The channel delivers late what was answered in time.
    it.record(Inbound, at(20 * MINUTE));
    policies.follow(&mut it, at(20 * MINUTE));
    it.record(Outbound, at(20 * MINUTE + 59));
    policies.follow(&mut it, at(22 * MINUTE));
    assert_eq!(state(&it, Metric::NextResponse, 22 * MINUTE), Some(State::Met));
}

// R17
#[test]
fn the_clock_of_the_resolution_stands_still_while_it_is_put_aside() {
    let ids = Ids::system();
    let policies = all(vec![policy(&ids, "", [None, None, Some(60 * MINUTE)])]);
    let mut it = begun(&ids);
    policies.follow(&mut it, at(0));
    it.snooze(at(300 * MINUTE));
    policies.follow(&mut it, at(20 * MINUTE));
    assert_eq!((state(&it, Metric::Resolution, 200 * MINUTE), it.sla_timer()), (Some(State::Paused), None));
    assert_eq!(it.sla.as_ref().unwrap().clocks[0].remaining(), Some(seconds(40 * MINUTE)));
    policies.follow(&mut it, at(90 * MINUTE));
    it.reopen();
    policies.follow(&mut it, at(100 * MINUTE));
    assert_eq!(it.sla.as_ref().unwrap().clocks[0].due, Some(at(140 * MINUTE)));
    it.resolve(at(139 * MINUTE));
    policies.follow(&mut it, at(139 * MINUTE));
    assert_eq!(state(&it, Metric::Resolution, 999 * MINUTE), Some(State::Met));
    it.record(Inbound, at(200 * MINUTE));
    policies.follow(&mut it, at(200 * MINUTE));
    let again = it.sla.as_ref().unwrap().clock(Metric::Resolution).unwrap();
    assert_eq!(
        (again.start, again.due),
        (at(200 * MINUTE), Some(at(260 * MINUTE))),
        "opened again, it is counted anew"
    );
}

// R17
#[test]
fn resolved_without_an_answer_is_neither_met_nor_missed() {
    let ids = Ids::system();
    let policies = all(vec![policy(&ids, "", [Some(10 * MINUTE), None, None])]);
    let mut it = begun(&ids);
    policies.follow(&mut it, at(0));
    it.resolve(at(5 * MINUTE));
    policies.follow(&mut it, at(5 * MINUTE));
    assert_eq!(state(&it, Metric::FirstResponse, 99 * MINUTE), Some(State::Cancelled));
    it.record(Inbound, at(60 * MINUTE));
    policies.follow(&mut it, at(60 * MINUTE));
    let again = it.sla.as_ref().unwrap().clock(Metric::FirstResponse).unwrap();
    assert_eq!((again.start, again.due), (at(60 * MINUTE), Some(at(70 * MINUTE))));
}

// R17
#[test]
fn a_conversation_that_becomes_urgent_gets_the_targets_of_urgent_ones() {
    let ids = Ids::system();
    let urgent = policy(&ids, "conversation.priority == 'URGENT'", [Some(2 * MINUTE), None, None]);
    let other = SlaPolicy { position: 1, ..policy(&ids, "", [Some(60 * MINUTE), None, Some(90 * MINUTE)]) };
    let policies = all(vec![other.clone(), urgent.clone()]);
    let mut it = begun(&ids);
    policies.follow(&mut it, at(0));
    let was = it.clone();
    assert_eq!(it.sla.as_ref().unwrap().under.as_ref().unwrap().id, other.id);
    it.priority = Priority::Urgent;
    policies.follow(&mut it, at(MINUTE));
    let first = it.sla.as_ref().unwrap().clock(Metric::FirstResponse).unwrap().clone();
    assert_eq!((first.start, first.due, first.under.id), (at(0), Some(at(2 * MINUTE)), urgent.id));
    assert_eq!(sooner(Some(&was), &it).unwrap().due, at(0).plus(seconds(96)), "and is looked at sooner");
    assert_eq!(state(&it, Metric::Resolution, MINUTE), Some(State::Cancelled), "there is no such target now");
    it.priority = Priority::Normal;
    policies.follow(&mut it, at(90));
    assert_eq!(it.sla.as_ref().unwrap().clock(Metric::FirstResponse).unwrap().due, Some(at(60 * MINUTE)));
    let resolution = it.sla.as_ref().unwrap().clock(Metric::Resolution).unwrap();
    assert_eq!(
        (resolution.end, resolution.due),
        (None, Some(at(90 * MINUTE))),
        "it goes on from where it began"
    );
    // What was missed under a policy stays missed under the next one.
    it.priority = Priority::Urgent;
    policies.follow(&mut it, at(3 * MINUTE));
    it.priority = Priority::Normal;
    policies.follow(&mut it, at(4 * MINUTE));
    assert_eq!(state(&it, Metric::FirstResponse, 4 * MINUTE), Some(State::Breached));
}

// R17
#[test]
fn under_no_policy_nobody_is_warned_and_no_time_before_a_policy_is_counted() {
    let ids = Ids::system();
    let mut it = begun(&ids);
    Policies::default().follow(&mut it, at(0));
    assert_eq!(it.sla, None, "an organization without policies stores nothing");
    let late =
        SlaPolicy { create_time: at(50 * MINUTE), ..policy(&ids, "", [Some(10 * MINUTE), None, None]) };
    all(vec![late.clone()]).follow(&mut it, at(51 * MINUTE));
    assert_eq!(it.sla.as_ref().unwrap().clocks[0].due, Some(at(60 * MINUTE)));
    all(vec![SlaPolicy { disabled: true, ..late }]).follow(&mut it, at(55 * MINUTE));
    assert_eq!((it.sla_timer(), told(&mut it, 999 * MINUTE).len()), (None, 0));
    assert_eq!(state(&it, Metric::FirstResponse, 999 * MINUTE), Some(State::Cancelled));
}

// R17
#[test]
fn targets_are_counted_in_the_hours_of_the_team_or_of_the_one_that_the_policy_names() {
    let ids = Ids::system();
    let (team, other): (TeamId, TeamId) = (ids.new_id().into(), ids.new_id().into());
    let days = |start_minute, end_minute| {
        let day = |weekday| WorkingHours { weekday, start_minute, end_minute };
        Hours::of(BusinessWeek::new(Zone::UTC, (1..=7).map(day).collect(), vec![]).unwrap())
    };
    let hours = BTreeMap::from([(team, days(9 * 60, 17 * 60)), (other, days(12 * 60, 13 * 60))]);
    let of_team = policy(&ids, "", [Some(10 * MINUTE), None, None]);
    let named = SlaPolicy { hours_of: Some(other), ..of_team.clone() };
    for (policy, team, due) in [
        (&of_team, None, 10 * MINUTE),
        (&of_team, Some(team), (9 * 60 + 10) * MINUTE),
        (&named, Some(team), (12 * 60 + 10) * MINUTE),
    ] {
        let mut it = Conversation { team, ..begun(&ids) };
        Policies::compile(vec![policy.clone()], hours.clone()).follow(&mut it, at(0));
        assert_eq!(it.sla.as_ref().unwrap().clocks[0].due, Some(at(due)));
    }
}

// R17
#[test]
fn a_condition_asks_only_for_what_the_conversation_says() {
    for good in
        ["", "conversation.priority == 'HIGH' && 'vip' in conversation.tags", "conversation.team_id != ''"]
    {
        assert!(condition(good).is_ok(), "{good}");
    }
    for bad in [
        "contact.language == 'de'",
        "time.hour > 3",
        "message.text == ''",
        "conversation.assigned",
        "conversation.",
    ] {
        assert!(condition(bad).is_err(), "{bad}");
    }
}

// R17
#[test]
fn a_clock_that_an_older_program_stored_is_still_read() {
    let ids = Ids::system();
    let mut it = begun(&ids);
    all(vec![policy(&ids, "", [Some(10 * MINUTE), None, Some(60 * MINUTE)])]).follow(&mut it, at(0));
    let stored = serde_json::to_string(&it.sla).unwrap();
    assert_eq!(serde_json::from_str::<Option<Tracking>>(&stored).unwrap(), it.sla);
    assert_eq!(serde_json::from_str::<Tracking>("{}").unwrap(), Tracking::default());
}
