use kernel::Clock;

use super::*;
use crate::domain::agent::WorkingHours;
use crate::domain::facts::ContactFacts;
use crate::domain::hours::{BusinessWeek, Hours};
use zones::Zone;

/// 2026-01-01T00:00:00Z, a Thursday.
const NEW_YEAR: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

const CREATED: &[Trigger] = &[Trigger::ConversationCreated];

fn workflow(clock: &Clock, position: i32, condition: &str, actions: Vec<Action>) -> Workflow {
    Workflow {
        id: WorkflowId::from_uuid(clock.new_id()),
        version: 1,
        name: format!("workflow {position}"),
        position,
        disabled: false,
        trigger: Trigger::ConversationCreated,
        after: None,
        condition: condition.to_owned(),
        actions,
        create_time: clock.now(),
        update_time: clock.now(),
    }
}

fn compile(workflows: Vec<Workflow>) -> Ruleset {
    Ruleset::compile(workflows, Calendar::default(), BTreeMap::new())
}

fn tags(tags: &[&str]) -> BTreeSet<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

fn team(clock: &Clock) -> TeamId {
    TeamId::from_uuid(clock.new_id())
}

fn assign(team: TeamId) -> Action {
    Action::AssignTeam { team, sharing: Sharing::default() }
}

fn airline() -> Facts {
    Facts { source: "airline".into(), ..Facts::default() }
}

// R9
#[test]
fn workflows_run_in_order_and_later_ones_see_what_earlier_ones_did() {
    let clock = Clock::system();
    let (first, last) = (team(&clock), team(&clock));
    let rules = compile(vec![
        workflow(&clock, 20, "'travel' in conversation.tags", vec![assign(last)]),
        workflow(
            &clock,
            10,
            "conversation.source == 'airline'",
            vec![
                assign(first),
                Action::AddTags(BTreeSet::from(["travel".into()])),
                Action::SetPriority(Priority::High),
            ],
        ),
    ]);
    let plan = rules.run(CREATED, airline(), NEW_YEAR);
    assert_eq!(plan.queue.map(|queue| queue.team), Some(last), "the last one that runs counts");
    assert_eq!(plan.tags, BTreeSet::from(["travel".to_owned()]));
    assert_eq!(plan.priority, Priority::High);
}

// R9
#[test]
fn stop_ends_the_run_and_a_failing_workflow_is_skipped_and_named() {
    let clock = Clock::system();
    let wanted = team(&clock);
    let rules = compile(vec![
        workflow(&clock, 1, "conversation.source > 3", vec![assign(team(&clock))]),
        workflow(&clock, 2, "", vec![assign(wanted), Action::Stop]),
        workflow(&clock, 3, "", vec![assign(team(&clock))]),
    ]);
    let plan = rules.run(CREATED, airline(), NEW_YEAR);
    assert_eq!(plan.queue.map(|queue| queue.team), Some(wanted));
    let verdicts: Vec<Verdict> = plan.traces.iter().map(|trace| trace.verdict).collect();
    assert_eq!(verdicts, [Verdict::Failed, Verdict::Matched]);
    assert!(!plan.traces[0].detail.is_empty());
}

// R9
#[test]
fn a_disabled_workflow_is_not_looked_at() {
    let clock = Clock::system();
    let mut off = workflow(&clock, 1, "", vec![assign(team(&clock))]);
    off.disabled = true;
    assert_eq!(compile(vec![off]).run(CREATED, airline(), NEW_YEAR), Plan::default());
}

// R9
#[test]
fn what_happens_at_once_is_one_run_in_one_order_whatever_the_triggers() {
    let clock = Clock::system();
    let on = |trigger, position, tag: &str| Workflow {
        trigger,
        ..workflow(&clock, position, "", vec![Action::AddTags(tags(&[tag]))])
    };
    let rules = compile(vec![
        on(Trigger::MessageReceived, 1, "one"),
        on(Trigger::ConversationReopened, 2, "two"),
        on(Trigger::ConversationCreated, 3, "three"),
        on(Trigger::ConversationTagged, 4, "four"),
    ]);
    let names = |triggers: &[Trigger]| {
        let plan = rules.run(triggers, airline(), NEW_YEAR);
        plan.traces.into_iter().map(|trace| trace.name).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&[Trigger::ConversationCreated, Trigger::MessageReceived]),
        ["workflow 1", "workflow 3"]
    );
    assert_eq!(
        names(&[Trigger::ConversationReopened, Trigger::MessageReceived]),
        ["workflow 1", "workflow 2"]
    );
    assert_eq!(
        names(&[Trigger::ConversationTagged]),
        ["workflow 4"],
        "tags that workflows add are not looked at"
    );
    assert_eq!(rules.count(&[Trigger::MessageReceived]), 1);
}

// R9
#[test]
fn a_run_names_an_agent_takes_tags_off_tells_people_and_writes_notes() {
    let clock = Clock::system();
    let (ana, team): (AgentId, TeamId) = (clock.new_id().into(), team(&clock));
    let notify = Action::Notify { agents: BTreeSet::from([ana]), team: Some(team), reason: "Look.".into() };
    let it = workflow(
        &clock,
        1,
        "'old' in conversation.tags",
        vec![
            Action::AssignAgent(ana),
            Action::RemoveTags(tags(&["old", "absent"])),
            notify.clone(),
            Action::AddNote { text: "Mind the gap".into() },
        ],
    );
    let id = it.id;
    let plan = compile(vec![it]).run(CREATED, Facts { tags: tags(&["old", "new"]), ..airline() }, NEW_YEAR);
    assert_eq!(plan.agent, Some(Named { agent: ana, workflow: id }));
    assert_eq!(plan.tags, tags(&["new"]));
    assert_eq!((plan.notices[0].reason.as_str(), plan.notices[0].team), ("Look.", Some(team)));
    assert_eq!(
        plan.notes,
        [WorkflowNote { workflow: id, name: "workflow 1".into(), text: "Mind the gap".into() }]
    );
    assert_eq!((notify.team(), notify.agents()), (Some(team), BTreeSet::from([ana])));
}

// R9
#[test]
fn a_run_neither_writes_nor_tells_nor_tags_without_bounds() {
    let clock = Clock::system();
    let many: Vec<String> = (0..60).map(|number| format!("tag-{number:02}")).collect();
    let mut actions = vec![Action::AddTags(many.into_iter().collect())];
    for _ in 0..15 {
        actions.push(Action::AddNote { text: "again".into() });
        actions.push(Action::Notify { agents: BTreeSet::new(), team: None, reason: "again".into() });
    }
    let rules = compile(vec![workflow(&clock, 1, "", actions.clone()), workflow(&clock, 2, "", actions)]);
    let plan = rules.run(CREATED, airline(), NEW_YEAR);
    assert_eq!((plan.tags.len(), plan.notes.len(), plan.notices.len()), (50, 20, 20));
    assert!(plan.traces[0].detail.contains("tags") && plan.traces[1].detail.contains("notes"));
    assert_eq!(plan.failures(), 0);
}

// R9
#[test]
fn conditions_read_the_organizations_clock_and_the_hours_of_the_conversations_team() {
    let clock = Clock::system();
    let (day, night) = (team(&clock), team(&clock));
    let weekdays =
        (1..=5).map(|weekday| WorkingHours { weekday, start_minute: 540, end_minute: 1020 }).collect();
    let week = BusinessWeek::new(Zone::UTC, weekdays, vec![]).unwrap();
    let calendar = Calendar {
        clock: Zone::parse("Asia/Kathmandu").unwrap().clock(),
        teams: [(day, ("day".to_owned(), Hours::of(week)))].into(),
    };
    let rules = vec![
        workflow(&clock, 1, "", vec![assign(day)]),
        workflow(&clock, 2, "!time.in_business_hours && 'day' in time.closed_teams", vec![assign(night)]),
        workflow(
            &clock,
            3,
            "time.in_business_hours && time.weekday == 4 && time.hour == 5 && time.minute == 45 && time.date == '2026-01-01'",
            vec![Action::AddTags(tags(&["seen"]))],
        ),
    ];
    let rules = Ruleset::compile(rules, calendar, BTreeMap::new());
    assert_eq!(rules.asks(CREATED), Asks { contact: false, time: true });
    let at_night = rules.run(CREATED, airline(), NEW_YEAR);
    assert_eq!(at_night.queue.unwrap().team, night, "the hours of the team that an earlier workflow chose");
    assert_eq!(at_night.tags, tags(&["seen"]), "and a team without hours always works");
    let at_noon = rules.run(CREATED, airline(), NEW_YEAR.plus(std::time::Duration::from_secs(12 * 3600)));
    assert_eq!(at_noon.queue.unwrap().team, day);
}

// R9
#[test]
fn only_conditions_that_ask_for_the_contact_fail_when_contacts_does_not_answer() {
    let clock = Clock::system();
    let rules = compile(vec![
        workflow(&clock, 1, "'vip' in contact.tags", vec![Action::AddTags(tags(&["first"]))]),
        workflow(
            &clock,
            2,
            "conversation.source == 'airline' || contact.language == 'de'",
            vec![Action::AddTags(tags(&["second"]))],
        ),
    ]);
    assert!(rules.asks(CREATED).contact);
    let unknown = rules.run(CREATED, airline(), NEW_YEAR);
    assert_eq!(
        (unknown.tags.clone(), unknown.failures()),
        (tags(&["second"]), 1),
        "what need not be asked is not"
    );
    assert!(unknown.traces[0].detail.contains("did not answer"));
    let known =
        Facts { contact: Some(ContactFacts { tags: tags(&["vip"]), ..Default::default() }), ..airline() };
    assert_eq!(rules.run(CREATED, known, NEW_YEAR).tags, tags(&["first", "second"]));
}
