//! How much people and teams did (R19), read from what [`super::report_counter`] counted: a few statements, however much that was.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use db::Tx;
use kernel::{AgentId, Role, TeamId, Timestamp};
use rpc::Caller;
use uuid::Uuid;

use super::App;
use crate::domain::agent::Person;
use crate::domain::report::{Report, Reporter, Slot, fairness};
use crate::domain::report_days::{BadStretch, Calendar, DaySpan, Start};
use crate::error::Error;
use crate::store;
use zones::{Day, Zone};

/// Days read by one statement.
const DAYS_AT_ONCE: usize = 31;

/// Agents of a team's report, at most.
const SHARES: usize = 500;

/// Of which days a report is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// Where they begin.
    pub start: Start,
    /// The last; `None`: today.
    pub last: Option<Day>,
    /// Whose days; `None`: the organization's.
    pub zone: Option<Zone>,
}

/// How much an agent did.
#[derive(Debug, Clone)]
pub struct AgentReport {
    /// The agent.
    pub agent: Person,
    /// What they did.
    pub report: Report,
}

/// How much a team did.
#[derive(Debug, Clone)]
pub struct TeamReport {
    /// What people know it by.
    pub handle: String,
    /// What it did.
    pub report: Report,
    /// Who was given how much of it, most first.
    pub shares: Vec<(Person, i64)>,
    /// How evenly that was.
    pub fairness: f64,
}

impl App {
    /// Reads how much an agent did.
    ///
    /// # Errors
    /// [`Error::NotYourReport`] for an agent who asks about another; [`Error::NoSuchAgent`]; [`Error::Invalid`] for what is no stretch of
    /// days; [`Error::Db`].
    pub async fn agent_report(
        &self,
        caller: &Caller,
        id: AgentId,
        stretch: Stretch,
    ) -> Result<AgentReport, Error> {
        let own = (caller.role == Role::Agent).then(|| caller.subject.clone());
        let now = self.clock.now();
        self.db
            .read(&caller.org, move |tx| {
                Box::pin(async move {
                    let agent = store::agents::find_agent(tx, id).await?.ok_or(Error::NoSuchAgent)?;
                    if own.is_some_and(|own| own != agent.subject) {
                        return Err(Error::NotYourReport);
                    }
                    let (zone, days) = days(tx, stretch, now).await?;
                    let report = report(tx, id.as_uuid(), zone, days).await?;
                    Ok(AgentReport { agent: agent.person(), report })
                })
            })
            .await
    }

    /// Reads how much a team did.
    ///
    /// # Errors
    /// [`Error::NoSuchTeam`]; [`Error::Invalid`] for what is no stretch of days; [`Error::Db`].
    pub async fn team_report(
        &self,
        caller: &Caller,
        id: TeamId,
        stretch: Stretch,
    ) -> Result<TeamReport, Error> {
        let now = self.clock.now();
        self.db
            .read(&caller.org, move |tx| {
                Box::pin(async move {
                    let handle = store::teams::find_team_handle(tx, id).await?.ok_or(Error::NoSuchTeam)?;
                    let (zone, days) = days(tx, stretch, now).await?;
                    let (begin, end) = ends(&days);
                    let report = report(tx, id.as_uuid(), zone, days).await?;
                    let given = shares(tx, id, begin, end).await?;
                    let fairness = fairness(given.iter().map(|(_, count)| *count));
                    let shares = named(tx, given).await?;
                    Ok(TeamReport { handle, report, shares, fairness })
                })
            })
            .await
    }
}

async fn days(tx: &mut Tx, stretch: Stretch, now: Timestamp) -> Result<(Zone, Vec<DaySpan>), Error> {
    let zone = match stretch.zone {
        Some(zone) => zone,
        None => store::settings::find_decided(tx).await?.settings.time_zone,
    };
    let invalid = |field, reason: &str| Error::Invalid { field, reason: reason.to_owned() };
    let days = Calendar::of(zone.clock()).days(stretch.start, stretch.last, Slot::of(now));
    let days = days.map_err(|bad| match bad {
        BadStretch::Backwards => invalid("end_date", "must not be before start_date; empty, it is today"),
        BadStretch::TooLong => {
            invalid("start_date", "must be at most 365 days before end_date: a report has 366 days at most")
        }
    })?;
    Ok((zone, days))
}

/// The first slot of these days, and the one behind the last.
fn ends(days: &[DaySpan]) -> (Slot, Slot) {
    let none = Slot::numbered(0);
    days.first().zip(days.last()).map_or((none, none), |(first, last)| (first.begin, last.end))
}

async fn report(tx: &mut Tx, subject: Uuid, zone: Zone, days: Vec<DaySpan>) -> Result<Report, Error> {
    // First: what is counted from here on is more than was waiting, not less.
    let complete = !store::report_marks::anything_waits(tx).await?;
    let (begin, _) = ends(&days);
    let open = if days.is_empty() { 0 } else { store::reports::count_open(tx, subject, begin).await? };
    let parts: Vec<(Slot, Slot)> = days.chunks(DAYS_AT_ONCE).map(ends).collect();
    let mut reporter = Reporter::new(days);
    for (begin, end) in parts {
        for (slot, counts) in store::reports::list_counts(tx, subject, begin, end).await? {
            reporter.count(slot, counts);
        }
        for (slot, waits) in store::reports::list_waits(tx, subject, begin, end).await? {
            reporter.wait(slot, waits);
        }
    }
    Ok(reporter.done(zone, open, complete))
}

/// To whom how many of a team's conversations were given from one slot on before another, most first.
async fn shares(tx: &mut Tx, team: TeamId, begin: Slot, end: Slot) -> Result<Vec<(AgentId, i64)>, Error> {
    let ((first, _), (last, _)) = (begin.of_day(), end.of_day());
    let within = store::report_shares::sum_shares_between(tx, team, first, last).await?;
    let mut sums: BTreeMap<AgentId, i64> = within.into_iter().collect();
    for (agent, slots) in store::report_shares::list_shares_on(tx, team, first, last).await? {
        for _ in slots.into_iter().filter(|slot| (begin..end).contains(slot)) {
            *sums.entry(agent).or_default() += 1;
        }
    }
    let mut given: Vec<(AgentId, i64)> = sums.into_iter().collect();
    given.sort_by_key(|(agent, count)| (Reverse(*count), *agent));
    Ok(given)
}

/// The first of them, as they are called now.
async fn named(tx: &mut Tx, mut given: Vec<(AgentId, i64)>) -> Result<Vec<(Person, i64)>, Error> {
    given.truncate(SHARES);
    let ids: Vec<AgentId> = given.iter().map(|(agent, _)| *agent).collect();
    let mut people: HashMap<AgentId, Person> =
        store::agents::list_people(tx, &ids).await?.into_iter().map(|it| (it.agent, it)).collect();
    Ok(given.into_iter().filter_map(|(agent, count)| Some((people.remove(&agent)?, count))).collect())
}
