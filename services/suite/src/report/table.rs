//! Reports for people.

use std::time::Duration;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use proto::routing::v1 as pb;

use super::bars::{bar, span, sparkline};
use crate::counted::counted;

/// Characters of the longest bar.
const WIDTH: u32 = 20;

/// Days that a line of small bars shows: the last ones.
const SHOWN: usize = 60;

/// All teams, a line each.
pub(super) fn of_teams(teams: &[pb::GetTeamReportResponse]) -> String {
    let mut table = table(&[
        "team",
        "day by day",
        "assigned",
        "resolved",
        "open",
        "first answer",
        "9 of 10",
        "resolution",
        "fairness",
    ]);
    for team in teams {
        let report = team.report.clone().unwrap_or_default();
        let days: Vec<i64> = report.days.iter().map(|it| figures(it).assigned_count).collect();
        let shown = days.get(days.len().saturating_sub(SHOWN)..).unwrap_or_default();
        let mut row = vec![format!("@{}", team.handle), sparkline(shown)];
        row.extend(cells(&report.total.unwrap_or_default()));
        row.push(format!("{:.3}", team.fairness_index));
        table.add_row(row);
    }
    align(&mut table, 2);
    let first = teams.first().and_then(|team| team.report.clone()).unwrap_or_default();
    let complete = teams.iter().all(|team| team.report.as_ref().is_some_and(|it| it.complete));
    format!("{table}\n\n{}", remarks(&first, complete))
}

/// One team, a line for each day, and who was given how much.
pub(super) fn of_team(team: &pb::GetTeamReportResponse) -> String {
    let report = team.report.clone().unwrap_or_default();
    let mut days =
        table(&["day", "", "assigned", "resolved", "open", "first answer", "9 of 10", "resolution"]);
    let most = report.days.iter().map(|it| figures(it).assigned_count).max().unwrap_or_default();
    for day in &report.days {
        let mut row = vec![day.date.clone(), bar(figures(day).assigned_count, most, WIDTH)];
        row.extend(cells(&figures(day)));
        days.add_row(row);
    }
    let mut row = vec![format!("@{}", team.handle), String::new()];
    row.extend(cells(&report.total.unwrap_or_default()));
    days.add_row(row);
    align(&mut days, 2);
    let mut shares = table(&["agent", "", "assigned"]);
    let most = team.shares.first().map(|it| it.assigned_count).unwrap_or_default();
    for share in &team.shares {
        let who = share.agent.as_ref().map(|it| format!("@{}", it.username)).unwrap_or_default();
        shares.add_row([who, bar(share.assigned_count, most, WIDTH), share.assigned_count.to_string()]);
    }
    align(&mut shares, 2);
    let shares = if team.shares.is_empty() { String::new() } else { format!("{shares}\n\n") };
    let fairness = format!("fairness {:.3}: 1 is the same for each of them", team.fairness_index);
    format!("{days}\n\n{shares}{fairness}\n{}", remarks(&report, report.complete))
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    table.set_header(header.iter().copied());
    table
}

/// Numbers stand right, behind so many other columns.
fn align(table: &mut Table, others: usize) {
    for column in table.column_iter_mut().skip(others) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

fn figures(day: &pb::ReportDay) -> pb::ReportFigures {
    day.figures.unwrap_or_default()
}

fn cells(it: &pb::ReportFigures) -> Vec<String> {
    let told = |span: Option<prost_types::Duration>| {
        span.and_then(|it| Duration::try_from(it).ok()).map_or_else(|| "-".to_owned(), self::span)
    };
    let first = it.first_response.unwrap_or_default();
    vec![
        it.assigned_count.to_string(),
        it.resolved_count.to_string(),
        it.open_count.to_string(),
        told(first.median),
        told(first.p90),
        told(it.resolution.unwrap_or_default().median),
    ]
}

/// Which days these are, and what may be missing.
fn remarks(report: &pb::Report, complete: bool) -> String {
    let count = counted(i64::try_from(report.days.len()).unwrap_or(i64::MAX), "day", "days");
    let mut text =
        format!("{count} in {}; first answers and resolutions: half took no longer", report.time_zone);
    if !complete {
        text.push_str("\nnot everything is counted yet: ask again in a moment");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team() -> pb::GetTeamReportResponse {
        let times = pb::ReportTimes {
            count: 1,
            median: Some(prost_types::Duration { seconds: 61, nanos: 0 }),
            p90: None,
        };
        let figures = pb::ReportFigures {
            assigned_count: 3,
            open_count: 2,
            first_response: Some(times),
            ..Default::default()
        };
        let day = pb::ReportDay { date: "2026-01-02".into(), figures: Some(figures) };
        let report =
            pb::Report { time_zone: "UTC".into(), days: vec![day], total: Some(figures), complete: false };
        let agent = pb::Person { username: "ana".into(), ..Default::default() };
        pb::GetTeamReportResponse {
            handle: "flights".into(),
            report: Some(report),
            shares: vec![pb::ReportShare { agent: Some(agent), assigned_count: 3 }],
            fairness_index: 1.0,
        }
    }

    // R19, G8
    #[test]
    fn a_table_says_what_there_was_and_what_was_not() {
        let one = of_team(&team());
        for said in [
            "2026-01-02",
            "@flights",
            "@ana",
            "1 min 1 s",
            "fairness 1.000",
            "1 day in UTC",
            "not everything is counted",
        ] {
            assert!(one.contains(said), "{said} in\n{one}");
        }
        let all = of_teams(&[team()]);
        assert!(all.contains("@flights") && all.contains('█') && all.contains(" - "), "{all}");
    }
}
