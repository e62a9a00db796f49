//! `backchannel report`: how much teams did, as a table for people or JSON for programs.

mod bars;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use kernel::{Clock, Role};
use proto::routing::v1 as pb;
use serde_json::{Value, json};

use crate::client::{AddressFlags, Session, patiently, teams};
use crate::dev_key::KeyFlags;
use crate::failure::{self, Failure};

#[derive(clap::Args)]
pub(crate) struct ReportArgs {
    /// One team, day by day, and who did how much; without it: all teams
    #[arg(long, value_name = "HANDLE")]
    team: Option<String>,
    /// How many days, of which today is the last
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(i32).range(1..=366))]
    days: i32,
    /// Whose days these are, such as Europe/Berlin; without it: those of the organization's settings
    #[arg(long, value_name = "ZONE", default_value = "")]
    time_zone: String,
    /// JSON instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    api: AddressFlags,
    #[command(flatten)]
    key: KeyFlags,
}

/// Asks for the reports and prints them.
pub(crate) fn run(args: ReportArgs) -> Result<ExitCode, Failure> {
    let token =
        args.key.minter(&Clock::system(), Duration::from_secs(300))?.mint("report", Role::Admin, None)?;
    let threads = tokio::runtime::Runtime::new().map_err(|error| Failure::because("no threads", error))?;
    let reports = threads.block_on(async {
        let api = args.api.connect().await?.bearing(&token)?;
        reports(&api, &args).await
    })?;
    if args.json {
        failure::print(Value::from(reports.iter().map(as_json).collect::<Vec<_>>()))?;
        return Ok(ExitCode::SUCCESS);
    }
    match (&args.team, reports.as_slice()) {
        (Some(_), [team]) => failure::print(table::of_team(team))?,
        (_, []) => failure::print("There are no teams yet.")?,
        (_, teams) => failure::print(table::of_teams(teams))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The reports of the teams that are meant, by handle.
async fn reports(api: &Session, args: &ReportArgs) -> Result<Vec<pb::GetTeamReportResponse>, Failure> {
    let handle = args.team.as_deref().map(|handle| handle.trim_start_matches('@').to_lowercase());
    let mut reports = Vec::new();
    for team in
        teams(api).await?.into_iter().filter(|it| handle.as_ref().is_none_or(|handle| it.handle == *handle))
    {
        let request = pb::GetTeamReportRequest {
            team_id: team.team_id,
            time_zone: args.time_zone.clone(),
            day_count: args.days,
            ..Default::default()
        };
        let answer = patiently(|| {
            let (mut reports, request) = (api.reports(), request.clone());
            async move { reports.get_team_report(request).await }
        });
        reports.push(answer.await.map_err(|status| Failure::call(format!("@{}", team.handle), &status))?);
    }
    match handle {
        Some(handle) if reports.is_empty() => {
            Err(Failure(format!("there is no team @{handle}; without --team all of them are shown")))
        }
        _ => Ok(reports),
    }
}

fn as_json(it: &pb::GetTeamReportResponse) -> Value {
    let report = it.report.clone().unwrap_or_default();
    let day = |it: &pb::ReportDay| {
        let mut day = figures(it.figures.as_ref());
        day["date"] = Value::from(it.date.as_str());
        day
    };
    let share = |it: &pb::ReportShare| {
        let person = it.agent.clone().unwrap_or_default();
        json!({"agent_id": person.agent_id, "username": person.username, "assigned": it.assigned_count})
    };
    json!({
        "team": it.handle,
        "time_zone": report.time_zone,
        "complete": report.complete,
        "total": figures(report.total.as_ref()),
        "fairness_index": it.fairness_index,
        "days": report.days.iter().map(day).collect::<Vec<_>>(),
        "agents": it.shares.iter().map(share).collect::<Vec<_>>(),
    })
}

fn figures(it: Option<&pb::ReportFigures>) -> Value {
    let it = it.copied().unwrap_or_default();
    let times = |it: Option<pb::ReportTimes>| {
        let it = it.unwrap_or_default();
        json!({"count": it.count, "median_s": seconds(it.median), "p90_s": seconds(it.p90)})
    };
    json!({
        "assigned": it.assigned_count,
        "resolved": it.resolved_count,
        "open": it.open_count,
        "first_response": times(it.first_response),
        "resolution": times(it.resolution),
    })
}

/// To the millisecond; nothing if there was none.
fn seconds(span: Option<prost_types::Duration>) -> Option<f64> {
    span.and_then(|span| Duration::try_from(span).ok()).map(|span| span.as_secs_f64())
}
