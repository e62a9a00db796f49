//! How much people and teams did (R19).

use std::time::Duration;

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::routing::v1::report_service_client::ReportServiceClient;
use proto::routing::v1::*;
use testkit::Client;
use tonic::Code;
use tonic_types::StatusExt;

use crate::erasure::{erase, rows};
use crate::world::*;

fn reports(world: &World, subject: &str, role: Role) -> ReportServiceClient<Client> {
    ReportServiceClient::new(world.client(subject, role))
}

fn of_team(team: &Team) -> GetTeamReportRequest {
    GetTeamReportRequest { team_id: team.team_id.clone(), ..Default::default() }
}

fn of_agent(agent: &Agent) -> GetAgentReportRequest {
    GetAgentReportRequest { agent_id: agent.agent_id.clone(), ..Default::default() }
}

/// The team's report, once everything is counted.
async fn team_report(world: &World, request: GetTeamReportRequest) -> GetTeamReportResponse {
    for _ in 0..400 {
        let mut reports = reports(world, "sue", Role::Supervisor);
        let answer = reports.get_team_report(request.clone()).await.unwrap().into_inner();
        if answer.report.as_ref().unwrap().complete {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not everything is counted");
}

fn seconds(span: Option<prost_types::Duration>) -> Option<i64> {
    span.map(|span| span.seconds)
}

/// Assigned, resolved, open; first answers and resolutions with their medians in seconds.
type Told = ([i64; 3], [(i64, Option<i64>); 2]);

fn told(it: &ReportFigures) -> Told {
    let times = |it: Option<ReportTimes>| {
        let it = it.unwrap();
        (it.count, seconds(it.median))
    };
    ([it.assigned_count, it.resolved_count, it.open_count], [times(it.first_response), times(it.resolution)])
}

fn days(report: &Report) -> Vec<(&str, Told)> {
    report.days.iter().map(|it| (it.date.as_str(), told(it.figures.as_ref().unwrap()))).collect()
}

const NOTHING: [(i64, Option<i64>); 2] = [(0, None), (0, None)];

testkit::on_both_databases! {
    // R19
    async fn a_report_says_day_by_day_what_people_and_teams_did(engine) {
        let world = World::at_new_year(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        let team = world.team("flights", &[&ana, &ben]).await;
        world.route("true", &team).await;
        let later = |seconds| world.suite.hand().advance(Duration::from_secs(seconds));
        for name in ["c-1", "c-2", "c-3"] {
            world.assigned(&world.begin(name).await.conversation_id).await;
        }
        let by_turns = team_report(&world, of_team(&team)).await;
        later(90);
        world.record(outbound("c-1", "2")).await;
        later(30);
        world.record(outbound("c-2", "2")).await;
        let first = world.begin("c-1").await;
        world.resolve(&first.conversation_id).await;
        // On the next day Ben, who is no longer at his desk, gives his to Ana.
        later(86_400);
        let mine = world.view("ben", InboxView::Mine).await;
        let given = mine[0].conversation.clone().unwrap();
        world.assign("ben", &given, &ana).await.unwrap();

        let one = team_report(&world, GetTeamReportRequest { day_count: 2, ..of_team(&team) }).await;
        let report = one.report.clone().unwrap();
        assert_eq!((one.handle.as_str(), report.time_zone.as_str()), ("flights", "UTC"));
        assert_eq!(days(&report), [
            ("2026-01-01", ([3, 1, 2], [(2, Some(90)), (1, Some(120))])),
            ("2026-01-02", ([1, 0, 2], NOTHING)),
        ]);
        assert_eq!(told(&report.total.unwrap()), ([4, 1, 2], [(2, Some(90)), (1, Some(120))]));
        let shares = |it: &GetTeamReportResponse| {
            let share = |it: &ReportShare| (it.agent.clone().unwrap().username, it.assigned_count);
            it.shares.iter().map(share).collect::<Vec<_>>()
        };
        assert_eq!(shares(&one), [("ana".to_owned(), 3), ("ben".to_owned(), 1)]);
        assert!((one.fairness_index - 16.0 / 20.0).abs() < 1e-9, "{}", one.fairness_index);
        assert!((by_turns.fairness_index - 9.0 / 10.0).abs() < 1e-9, "two and one");

        // The same days are others elsewhere: the evening of the year before.
        let elsewhere = GetTeamReportRequest {
            start_date: "2025-12-31".into(),
            end_date: "2026-01-01".into(),
            time_zone: "america/new_york".into(),
            ..of_team(&team)
        };
        let elsewhere = team_report(&world, elsewhere).await.report.unwrap();
        assert_eq!(elsewhere.time_zone, "America/New_York");
        assert_eq!(days(&elsewhere)[0], ("2025-12-31", ([3, 1, 2], [(2, Some(90)), (1, Some(120))])));

        // And whose days they are is the organization's to say.
        let change = UpdateSettingsRequest { time_zone: "Asia/Kolkata".into(), ..Default::default() };
        world.settings().update_settings(change).await.unwrap();
        let mut own = reports(&world, "ben", Role::Agent);
        let own = own.get_agent_report(of_agent(&ben)).await.unwrap().into_inner();
        let report = own.report.unwrap();
        assert_eq!((own.agent.unwrap().username.as_str(), report.time_zone.as_str()), ("ben", "Asia/Kolkata"));
        assert_eq!((report.days.len(), report.days[6].date.as_str()), (7, "2026-01-02"));
        assert_eq!(report.total.unwrap().open_count, 0);
        world.suite.stop().await;
    }

    // R4, R19
    async fn what_a_workflow_gives_to_an_agent_and_a_team_counts_for_both(engine) {
        let world = World::at_new_year(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("flights", &[&ana]).await;
        let to_ana = action::Action::AssignAgent(AssignAgent { agent_id: ana.agent_id.clone() });
        let given = spec("true", vec![assign_team(&team), to_ana]);
        let request = CreateWorkflowRequest { spec: Some(given), request_id: String::new() };
        world.workflows().create_workflow(request).await.unwrap();
        let it = world.begin("c-1").await;
        assert_eq!(it.team_id, team.team_id);
        let answer = team_report(&world, of_team(&team)).await;
        assert_eq!(told(&answer.report.unwrap().total.unwrap()).0, [1, 0, 1]);
        assert_eq!(answer.shares[0].assigned_count, 1);
        world.suite.stop().await;
    }

    // R19
    async fn agents_read_their_own_report_and_nobody_reads_another_organizations(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let team = world.team("flights", &[&ana]).await;
        reports(&world, "ana", Role::Agent).get_agent_report(of_agent(&ana)).await.unwrap();
        reports(&world, "sue", Role::Supervisor).get_agent_report(of_agent(&ana)).await.unwrap();
        let refused = reports(&world, "ana", Role::Agent).get_agent_report(of_agent(&ben)).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)));
        let refused = reports(&world, "ana", Role::Agent).get_team_report(of_team(&team)).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let mut elsewhere = ReportServiceClient::new(world.suite.client("globex", "root", Role::Admin));
        for refused in [
            elsewhere.get_team_report(of_team(&team)).await.unwrap_err(),
            elsewhere.get_agent_report(of_agent(&ana)).await.unwrap_err(),
        ] {
            assert_eq!(refusal(&refused), (Code::NotFound, Some(ErrorReason::NotFound)));
        }
        world.suite.stop().await;
    }

    // R19
    async fn what_is_no_stretch_of_days_is_refused_at_its_field(engine) {
        let world = World::at_new_year(engine).await;
        let ana = world.agent("ana").await;
        let day = |text: &str| text.to_owned();
        let asked = || of_agent(&ana);
        for (field, request) in [
            ("start_date", GetAgentReportRequest { start_date: day("2026-02-30"), ..asked() }),
            ("start_date", GetAgentReportRequest { start_date: day("yesterday"), ..asked() }),
            ("end_date", GetAgentReportRequest { end_date: day("2026-13-01"), ..asked() }),
            ("end_date", GetAgentReportRequest { start_date: day("2025-12-02"), end_date: day("2025-12-01"), ..asked() }),
            ("end_date", GetAgentReportRequest { start_date: day("2026-01-02"), ..asked() }),
            ("start_date", GetAgentReportRequest { start_date: day("2024-12-31"), ..asked() }),
            ("start_date", GetAgentReportRequest { start_date: day("0001-01-01"), ..asked() }),
            ("day_count", GetAgentReportRequest { start_date: day("2026-01-01"), day_count: 1, ..asked() }),
            ("day_count", GetAgentReportRequest { day_count: 367, ..asked() }),
            ("time_zone", GetAgentReportRequest { time_zone: day("Mars/Olympus"), ..asked() }),
        ] {
            let refused = reports(&world, "ana", Role::Agent).get_agent_report(request.clone()).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)), "{request:?}");
            let violations = refused.get_details_bad_request().unwrap().field_violations;
            assert_eq!(violations[0].field, field, "{request:?}");
        }
        let year = GetAgentReportRequest { day_count: 366, ..asked() };
        let year = reports(&world, "ana", Role::Agent).get_agent_report(year).await.unwrap().into_inner();
        assert_eq!(year.report.unwrap().days.len(), 366);
        let to_come = GetAgentReportRequest { start_date: day("2026-01-01"), end_date: day("9999-12-31"), ..asked() };
        let to_come = reports(&world, "ana", Role::Agent).get_agent_report(to_come).await.unwrap().into_inner();
        assert_eq!(to_come.report.unwrap().days.len(), 1, "days that have not begun are left out");
        world.suite.stop().await;
    }

    // R19, P12
    async fn what_an_erased_customer_was_counted_for_stays_and_names_no_conversation(engine) {
        let world = World::on(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("flights", &[&ana]).await;
        world.route("true", &team).await;
        let gone = world.assigned(&world.begin("gone").await.conversation_id).await;
        world.record(outbound("gone", "2")).await;
        world.assigned(&world.begin("stays").await.conversation_id).await;
        erase(&world, &world.request_id(), &[&gone.contact_id]).await;
        let figures = team_report(&world, of_team(&team)).await.report.unwrap().total.unwrap();
        assert_eq!((figures.assigned_count, figures.open_count), (2, 1));
        assert_eq!(figures.first_response.unwrap().count, 1);
        assert_eq!((rows(&world, "report_standings").await, rows(&world, "report_marks").await), (1, 0));
        world.suite.stop().await;
    }
}
