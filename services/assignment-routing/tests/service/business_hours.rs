//! When teams work, and what conditions of workflows make of it.

use std::time::Duration;

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::routing::v1::business_hours_service_client::BusinessHoursServiceClient;
use proto::routing::v1::*;
use testkit::Client;
use tonic::{Code, Status};

use crate::workflow_triggers::add_tags;
use crate::world::{NEW_YEAR, World, assign_team, refusal};

impl World {
    fn hours(&self) -> BusinessHoursServiceClient<Client> {
        BusinessHoursServiceClient::new(self.client("sue", Role::Supervisor))
    }

    async fn works(&self, team: &Team, week: BusinessWeek, etag: &str) -> Result<BusinessHours, Status> {
        let request =
            SetBusinessHoursRequest { team_id: team.team_id.clone(), week: Some(week), etag: etag.into() };
        Ok(self.hours().set_business_hours(request).await?.into_inner().business_hours.unwrap())
    }

    async fn working(&self, team: &Team) -> BusinessHours {
        let request = GetBusinessHoursRequest { team_id: team.team_id.clone() };
        self.hours().get_business_hours(request).await.unwrap().into_inner().business_hours.unwrap()
    }
}

/// Nine to five on every day.
fn nine_to_five(time_zone: &str) -> BusinessWeek {
    BusinessWeek {
        time_zone: time_zone.into(),
        intervals: (1..=7)
            .map(|weekday| WorkingHours { weekday, start_minute: 540, end_minute: 1020 })
            .collect(),
        holidays: vec![],
    }
}

fn holiday(date: &str) -> Holiday {
    Holiday { date: date.into(), name: "a day off".into() }
}

testkit::on_both_databases! {
    // R9
    async fn a_team_works_around_the_clock_until_somebody_says_when(engine) {
        let world = World::at_new_year(engine).await;
        let team = world.team("day", &[]).await;
        let first = world.working(&team).await;
        assert!(first.open && first.update_time.is_none() && first.week.as_ref().unwrap().intervals.is_empty());
        assert_eq!((first.etag.as_str(), first.week.unwrap().time_zone.as_str()), ("v1", "UTC"));
        let set = world.works(&team, nine_to_five("europe/berlin"), "v1").await.unwrap();
        assert!(!set.open, "it is one in the night in Berlin");
        assert_eq!((set.etag.as_str(), set.week.as_ref().unwrap().time_zone.as_str()), ("v2", "Europe/Berlin"));
        assert_eq!(world.working(&team).await, set);
        world.suite.hand().set(NEW_YEAR.plus(Duration::from_secs(8 * 3600)));
        assert!(world.working(&team).await.open, "and nine in the morning now");
        let week = BusinessWeek { holidays: vec![holiday("2026-01-01")], ..nine_to_five("Europe/Berlin") };
        assert!(!world.works(&team, week.clone(), "").await.unwrap().open);
        assert_eq!(world.works(&team, week, "").await.unwrap().etag, "v3", "what changes nothing leaves the etag");
        let stale = world.works(&team, BusinessWeek::default(), "v1").await.unwrap_err();
        assert_eq!(refusal(&stale), (Code::Aborted, Some(ErrorReason::StaleEtag)));
    }

    // R9, P4
    async fn hours_that_there_cannot_be_are_refused_by_field(engine) {
        let world = World::on(engine).await;
        let team = world.team("day", &[]).await;
        let backwards = vec![WorkingHours { weekday: 1, start_minute: 600, end_minute: 600 }];
        let odd = vec![WorkingHours { weekday: 8, start_minute: 0, end_minute: 10 }];
        for (week, field) in [
            (BusinessWeek { time_zone: "Mars/Olympus".into(), ..Default::default() }, "week.time_zone"),
            (BusinessWeek { intervals: backwards, ..Default::default() }, "week.intervals"),
            (BusinessWeek { intervals: odd, ..Default::default() }, "week.intervals[0].weekday"),
            (BusinessWeek { holidays: vec![holiday("2026-02-30")], ..Default::default() }, "week.holidays[0].date"),
            (BusinessWeek { holidays: vec![holiday("2026-02-01"), holiday("2026-02-01")], ..Default::default() }, "week.holidays"),
        ] {
            let refused = world.works(&team, week, "").await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            let details = tonic_types::StatusExt::get_details_bad_request(&refused).unwrap();
            assert_eq!(details.field_violations[0].field, field);
        }
        let absent = Team { team_id: world.request_id(), ..Default::default() };
        assert_eq!(world.works(&absent, BusinessWeek::default(), "").await.unwrap_err().code(), Code::NotFound);
        let mut other = BusinessHoursServiceClient::new(world.suite.client("other", "eve", Role::Admin));
        let request = GetBusinessHoursRequest { team_id: team.team_id };
        assert_eq!(other.get_business_hours(request).await.unwrap_err().code(), Code::NotFound);
    }

    // R9
    async fn workflows_go_by_the_hours_of_teams_and_the_clock_of_the_organization(engine) {
        let world = World::at_new_year(engine).await;
        let (day, night) = (world.team("day", &[]).await, world.team("night", &[]).await);
        let position = |position, condition: &str, actions| WorkflowSpec { position, ..crate::world::spec(condition, actions) };
        for spec in [
            position(1, "", vec![assign_team(&day)]),
            position(2, "!time.in_business_hours", vec![assign_team(&night)]),
            position(3, "'day' in time.closed_teams", vec![add_tags(&["closed"])]),
            position(4, "time.hour == 9 && time.weekday == 4 && time.date == '2026-01-01'", vec![add_tags(&["nine"])]),
        ] {
            let request = CreateWorkflowRequest { spec: Some(spec), request_id: String::new() };
            world.workflows().create_workflow(request).await.unwrap();
        }
        assert_eq!(world.begin("before").await.team_id, day.team_id);
        world.works(&day, nine_to_five("UTC"), "").await.unwrap();
        let it = world.begin("at-night").await;
        assert_eq!((it.team_id.as_str(), it.tags.as_slice()), (night.team_id.as_str(), ["closed".to_owned()].as_slice()));
        world.suite.hand().set(NEW_YEAR.plus(Duration::from_secs(9 * 3600)));
        let it = world.begin("at-nine").await;
        assert_eq!((it.team_id.as_str(), it.tags.as_slice()), (day.team_id.as_str(), ["nine".to_owned()].as_slice()));
        world.decide(UpdateSettingsRequest { time_zone: "asia/tokyo".into(), ..Default::default() }).await;
        let it = world.begin("in-tokyo").await;
        assert_eq!((it.team_id.as_str(), it.tags.len()), (day.team_id.as_str(), 0), "the team's own clock is another");
        let rename = UpdateTeamRequest { team_id: day.team_id.clone(), handle: "tag".into(), ..Default::default() };
        world.teams().update_team(rename).await.unwrap();
        world.suite.hand().set(NEW_YEAR.plus(Duration::from_secs(20 * 3600)));
        assert!(world.begin("renamed").await.tags.is_empty(), "it is closed by its present name");
        let unknown = UpdateSettingsRequest { time_zone: "Mars/Olympus".into(), ..Default::default() };
        let refused = world.settings().update_settings(unknown).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
    }
}
