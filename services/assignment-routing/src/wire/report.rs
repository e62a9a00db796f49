//! Reports.

use std::time::Duration;

use proto::routing::v1 as pb;
use rpc::Fault;

use super::agent::person;
use crate::app::reports::{AgentReport, Stretch, TeamReport};
use crate::domain::report::{Figures, Report, Times};
use crate::domain::report_days::Start;
use zones::{Day, Zone};

/// Days of a report for which nobody said where it begins.
const USUAL_DAYS: usize = 7;

/// How much an agent did.
#[must_use]
pub fn agent_report(it: AgentReport) -> pb::GetAgentReportResponse {
    pb::GetAgentReportResponse { agent: Some(person(it.agent)), report: Some(report(it.report)) }
}

/// How much a team did.
#[must_use]
pub fn team_report(it: TeamReport) -> pb::GetTeamReportResponse {
    let share = |(agent, assigned_count)| pb::ReportShare { agent: Some(person(agent)), assigned_count };
    pb::GetTeamReportResponse {
        handle: it.handle,
        report: Some(report(it.report)),
        shares: it.shares.into_iter().map(share).collect(),
        fairness_index: it.fairness,
    }
}

/// Of which days an agent's report is asked for.
///
/// # Errors
/// As [`stretch`].
pub fn agent_stretch(it: &pb::GetAgentReportRequest) -> Result<Stretch, Fault> {
    stretch(&it.start_date, it.day_count, &it.end_date, &it.time_zone)
}

/// Of which days a team's report is asked for.
///
/// # Errors
/// As [`stretch`].
pub fn team_stretch(it: &pb::GetTeamReportRequest) -> Result<Stretch, Fault> {
    stretch(&it.start_date, it.day_count, &it.end_date, &it.time_zone)
}

/// Of which days a report is asked for; what is empty was not said.
///
/// # Errors
/// INVALID_FIELD for what is no day of the calendar, for two ways to say where it begins, and for a time zone that there is not.
fn stretch(start_date: &str, day_count: i32, end_date: &str, time_zone: &str) -> Result<Stretch, Fault> {
    let zone = if time_zone.is_empty() { None } else { Some(Zone::parse(time_zone)?) };
    let start = match (day("start_date", start_date)?, usize::try_from(day_count).unwrap_or(0)) {
        (Some(first), 0) => Start::On(first),
        (Some(_), _) => {
            return Err(Fault::invalid(
                "day_count",
                "is for a report without start_date: leave one of them out",
            ));
        }
        (None, 0) => Start::Before(USUAL_DAYS),
        (None, count) => Start::Before(count),
    };
    Ok(Stretch { start, last: day("end_date", end_date)?, zone })
}

fn day(field: &'static str, text: &str) -> Result<Option<Day>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    Day::parse(text).map(Some).map_err(|bad| Fault::invalid(field, bad.reason()))
}

fn report(it: Report) -> pb::Report {
    let day = |(day, it): (Day, Figures)| pb::ReportDay { date: day.to_string(), figures: Some(figures(it)) };
    pb::Report {
        time_zone: it.zone.as_str().to_owned(),
        days: it.days.into_iter().map(day).collect(),
        total: Some(figures(it.total)),
        complete: it.complete,
    }
}

fn figures(it: Figures) -> pb::ReportFigures {
    pb::ReportFigures {
        assigned_count: it.assigned,
        resolved_count: it.resolved,
        open_count: it.open,
        first_response: Some(times(it.first_response)),
        resolution: Some(times(it.resolution)),
    }
}

fn times(it: Times) -> pb::ReportTimes {
    let span = |span: Option<Duration>| span.and_then(|span| prost_types::Duration::try_from(span).ok());
    pb::ReportTimes {
        count: i64::try_from(it.count).unwrap_or(i64::MAX),
        median: span(it.median),
        p90: span(it.p90),
    }
}
