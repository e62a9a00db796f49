//! The recount: from everything that happened, each figure by itself, without any thought of speed.

use std::collections::BTreeMap;
use std::time::Duration;

use assignment_routing::domain::report::{Figures, Report, Times};
use kernel::{AgentId, ContactId, TeamId, Timestamp};
use uuid::Uuid;
use zones::{Day, WallClock};

/// A conversation, with all that is known of it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) contact: ContactId,
    /// In order.
    pub(super) events: Vec<Event>,
    /// In order.
    pub(super) messages: Vec<Said>,
    /// When it was erased.
    pub(super) gone: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) time: Timestamp,
    pub(super) kind: String,
    pub(super) by_itself: bool,
    pub(super) agent: Option<AgentId>,
    pub(super) team: Option<TeamId>,
}

#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) time: Timestamp,
    pub(super) sent: Timestamp,
    pub(super) inbound: bool,
}

impl Case {
    fn until(&self, holds: impl Fn(Timestamp) -> bool) -> impl Iterator<Item = &Event> {
        self.events.iter().take_while(move |it| holds(it.time))
    }

    /// Who has it, and whose it is, after the events for which it holds.
    fn subjects(&self, holds: impl Fn(Timestamp) -> bool + Copy) -> Vec<Uuid> {
        let moved =
            self.until(holds).filter(|it| ["ASSIGNED", "UNASSIGNED", "QUEUED"].contains(&it.kind.as_str()));
        let agent = moved.last().and_then(|it| it.agent).map(|it| it.as_uuid());
        let team = self.until(holds).filter_map(|it| it.team).last().map(|it| it.as_uuid());
        agent.into_iter().chain(team).collect()
    }

    fn status(&self, holds: impl Fn(Timestamp) -> bool) -> &str {
        let turns =
            self.until(holds).filter(|it| ["RESOLVED", "REOPENED", "SNOOZED"].contains(&it.kind.as_str()));
        turns.last().map_or("REOPENED", |it| it.kind.as_str())
    }

    fn is_open(&self, holds: impl Fn(Timestamp) -> bool) -> bool {
        self.status(holds) == "REOPENED"
    }

    fn was_born_resolved(&self) -> bool {
        self.events.first().is_some_and(|it| it.kind == "RESOLVED" && it.by_itself)
    }

    /// Resolutions that somebody made.
    fn resolutions(&self) -> impl Iterator<Item = &Event> {
        let resolved = self.events.iter().filter(|it| it.kind == "RESOLVED");
        resolved
            .skip(usize::from(self.was_born_resolved()))
            .filter(|it| self.status(|time| time < it.time) != "RESOLVED")
    }

    /// When it was last opened before a resolution, other than after it had been put aside.
    fn opened_before(&self, resolved: &Event) -> Timestamp {
        let opened = self
            .until(|time| time < resolved.time)
            .filter(|it| it.kind == "REOPENED" && self.status(|time| time < it.time) == "RESOLVED");
        opened.last().map_or(self.messages[0].time, |it| it.time)
    }

    /// When its customer was first answered, and after how long, if they waited.
    fn first_answer(&self) -> Option<(Timestamp, u64)> {
        let answer = self.messages.iter().find(|it| !it.inbound)?;
        let asked = if self.was_born_resolved() {
            self.until(|time| time < answer.time).find(|it| it.kind == "REOPENED")?.time
        } else {
            self.messages[0].sent.min(self.messages[0].time)
        };
        let took = answer.sent.min(answer.time).as_micros() - asked.as_micros();
        Some((answer.time, u64::try_from(took.max(0)).unwrap() / 1_000))
    }

    /// When it stopped being there: not before anything that counts of it.
    fn end(&self) -> Option<Timestamp> {
        let said = self.messages.iter().take(1).chain(self.messages.iter().find(|it| !it.inbound));
        let told = self.events.iter().map(|it| it.time).chain(said.map(|it| it.time)).max();
        self.gone.max(self.gone.and(told))
    }
}

fn times(mut millis: Vec<u64>) -> Times {
    millis.sort_unstable();
    let at = |share: f64| {
        let place = (millis.len() as f64 * share).ceil() as usize;
        place.checked_sub(1).map(|place| Duration::from_millis(millis[place]))
    };
    Times { count: millis.len(), median: at(0.5), p90: at(0.9) }
}

/// What happened on days for which it holds; `ended` says of which moments the last day's end is behind.
fn figures(
    cases: &[Case],
    subject: Uuid,
    on: impl Fn(Timestamp) -> bool,
    ended: impl Fn(Timestamp) -> bool + Copy,
) -> Figures {
    let mut figures = Figures::default();
    let (mut answers, mut resolutions) = (Vec::new(), Vec::new());
    for case in cases {
        for event in case.events.iter().filter(|it| on(it.time) && it.kind == "ASSIGNED") {
            figures.assigned += i64::from(case.subjects(|time| time <= event.time).contains(&subject));
        }
        for event in case.resolutions().filter(|it| on(it.time)) {
            if case.subjects(|time| time <= event.time).contains(&subject) {
                figures.resolved += 1;
                resolutions.push(event.time.since(case.opened_before(event)).as_micros() as u64 / 1_000);
            }
        }
        if let Some((time, took)) = case.first_answer().filter(|(time, _)| on(*time))
            && case.subjects(|event| event < time).contains(&subject)
        {
            answers.push(took);
        }
        let there = !case.end().is_some_and(ended);
        figures.open += i64::from(there && case.is_open(ended) && case.subjects(ended).contains(&subject));
    }
    (figures.first_response, figures.resolution) = (times(answers), times(resolutions));
    figures
}

/// What the report should be, of the days that it has.
pub(super) fn expected(cases: &[Case], subject: Uuid, report: &Report) -> Report {
    let clock: WallClock = report.zone.clock();
    let day_of = |time: Timestamp| clock.shows(time).day;
    let days: Vec<Day> = report.days.iter().map(|(day, _)| *day).collect();
    let of =
        |day: &Day| (*day, figures(cases, subject, |time| day_of(time) == *day, |time| day_of(time) <= *day));
    let (first, last) = (days[0], days[days.len() - 1]);
    let total =
        figures(cases, subject, |time| (first..=last).contains(&day_of(time)), |time| day_of(time) <= last);
    Report { zone: report.zone, days: days.iter().map(of).collect(), total, complete: true }
}

/// Who was given how many of a team's conversations on the days of the report.
pub(super) fn shares(cases: &[Case], team: TeamId, report: &Report) -> Vec<(AgentId, i64)> {
    let clock = report.zone.clock();
    let (first, last) = (report.days[0].0, report.days[report.days.len() - 1].0);
    let mut shares = BTreeMap::new();
    for case in cases {
        let given = case.events.iter().filter(|it| it.kind == "ASSIGNED");
        for event in given.filter(|it| (first..=last).contains(&clock.shows(it.time).day)) {
            if case.subjects(|time| time <= event.time).contains(&team.as_uuid()) {
                *shares.entry(event.agent.unwrap()).or_default() += 1;
            }
        }
    }
    shares.into_iter().collect()
}
