//! Agents, and whether they are there.

use std::time::Duration;

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, metadata, refusal};

fn profile(username: &str) -> AgentProfile {
    AgentProfile { username: username.into(), display_name: "Ana Lima".into(), ..Default::default() }
}

testkit::on_both_databases! {
    // R1
    async fn an_agent_is_made_from_their_token_on_first_sight_and_only_once(engine) {
        let world = World::on(engine).await;
        let first = world.agent("Ana.Lima").await;
        assert_eq!((first.username.as_str(), first.subject.as_str()), ("ana.lima", "Ana.Lima"));
        assert_eq!(first.role(), proto::common::v1::Role::Agent);
        assert_eq!(world.agent("Ana.Lima").await, first);
        let supervisor = world.agents("boss", Role::Supervisor).get_my_agent(GetMyAgentRequest {}).await.unwrap();
        assert_eq!(supervisor.into_inner().agent.unwrap().role(), proto::common::v1::Role::Supervisor);
    }

    // R1
    async fn many_first_sights_at_once_make_one_agent_each_with_a_name_of_their_own(engine) {
        let world = World::on(engine).await;
        let mut calls = Vec::new();
        // Two people whose tokens clean to the same name.
        for subject in ["ana", "ANA"].repeat(10) {
            let mut client = world.agents(subject, Role::Agent);
            calls.push(tokio::spawn(async move { client.send_heartbeat(SendHeartbeatRequest {}).await }));
        }
        for call in calls {
            call.await.unwrap().unwrap();
        }
        let listed = world.agents("root", Role::Admin).list_agents(ListAgentsRequest::default()).await.unwrap();
        let names: Vec<String> = listed.into_inner().agents.into_iter().map(|agent| agent.username).collect();
        assert_eq!(names, ["ana", "ana-2"]);
    }

    // R1, P5
    async fn an_admin_makes_an_agent_and_a_retry_has_the_first_answer(engine) {
        let world = World::on(engine).await;
        let mut admin = world.agents("root", Role::Admin);
        let request = CreateAgentRequest {
            subject: "sub-ana".into(),
            profile: Some(AgentProfile {
                skills: vec![Skill { name: "billing".into(), level: 4 }],
                languages: vec!["pt-BR".into()],
                working_hours: vec![WorkingHours { weekday: 1, start_minute: 540, end_minute: 1020 }],
                ..profile("ana")
            }),
            request_id: world.request_id(),
        };
        let made = admin.create_agent(request.clone()).await.unwrap().into_inner().agent.unwrap();
        assert_eq!(made, admin.create_agent(request.clone()).await.unwrap().into_inner().agent.unwrap());
        assert_eq!((made.skills.len(), made.languages.len(), made.working_hours.len()), (1, 1, 1));
        let read = admin.get_agent(GetAgentRequest { agent_id: made.agent_id.clone() }).await.unwrap();
        assert_eq!(read.into_inner().agent.unwrap(), made);

        let reused = CreateAgentRequest { subject: "other".into(), ..request.clone() };
        let refused = admin.create_agent(reused).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::RequestIdReused)));
        let again = CreateAgentRequest { request_id: String::new(), profile: Some(profile("ana-b")), ..request };
        let refused = admin.create_agent(again).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::AlreadyExists, Some(ErrorReason::AlreadyExists)));
        assert_eq!(metadata(&refused, "field").as_deref(), Some("subject"));
    }

    // R1
    async fn a_username_and_a_teams_handle_are_one_namespace(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let request = CreateTeamRequest { handle: "ana".into(), ..Default::default() };
        let refused = world.teams().create_team(request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::AlreadyExists, Some(ErrorReason::AlreadyExists)));
        world.team("billing", &[]).await;
        let request = UpdateAgentRequest {
            agent_id: ana.agent_id,
            profile: Some(AgentProfile { username: "billing".into(), ..Default::default() }),
            ..Default::default()
        };
        let refused = world.agents("root", Role::Admin).update_agent(request).await.unwrap_err();
        assert_eq!(metadata(&refused, "field").as_deref(), Some("handle"));
        assert_eq!(world.agent("billing").await.username, "billing-2");
    }

    // P6
    async fn an_update_changes_the_named_fields_and_a_stale_etag_is_aborted(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let mut admin = world.agents("root", Role::Admin);
        let request = UpdateAgentRequest {
            agent_id: ana.agent_id.clone(),
            profile: Some(AgentProfile { email: "ana@example.org".into(), username: "lima".into(), ..Default::default() }),
            update_mask: Some(prost_types::FieldMask { paths: vec!["email".into(), "time_zone".into()] }),
            etag: ana.etag.clone(),
            request_id: String::new(),
        };
        let changed = admin.update_agent(request.clone()).await.unwrap().into_inner().agent.unwrap();
        assert_eq!((changed.email.as_str(), changed.username.as_str()), ("ana@example.org", "ana"));
        let refused = admin.update_agent(request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Aborted, Some(ErrorReason::StaleEtag)));
        assert_eq!(metadata(&refused, "etag"), Some(changed.etag));
        let unknown = UpdateAgentRequest {
            agent_id: ana.agent_id,
            profile: Some(AgentProfile::default()),
            update_mask: Some(prost_types::FieldMask { paths: vec!["subject".into()] }),
            ..Default::default()
        };
        let refused = admin.update_agent(unknown).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::UnknownUpdatePath)));
        assert_eq!(metadata(&refused, "path").as_deref(), Some("subject"));
    }

    // P7
    async fn agents_are_listed_by_username_page_by_page(engine) {
        let world = World::on(engine).await;
        for subject in ["cem", "ana", "ben"] {
            world.agent(subject).await;
        }
        let mut client = world.agents("ana", Role::Agent);
        let mut names = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListAgentsRequest { page_size: 2, page_token: page_token.clone(), ..Default::default() };
            let page = client.list_agents(request).await.unwrap().into_inner();
            names.extend(page.agents.into_iter().map(|agent| agent.username));
            if page.next_page_token.is_empty() {
                break;
            }
            page_token = page.next_page_token;
        }
        assert_eq!(names, ["ana", "ben", "cem"]);
        let other = ListAgentsRequest { availability: Availability::Away.into(), page_token, ..Default::default() };
        let refused = client.list_agents(other).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidPageToken)));
    }

    // R2
    async fn a_heartbeat_brings_an_agent_online_and_its_lease_ends_after_a_minute(engine) {
        let world = World::at_new_year(engine).await;
        let mut ana = world.agents("ana", Role::Agent);
        let beat = ana.send_heartbeat(SendHeartbeatRequest {}).await.unwrap().into_inner();
        assert_eq!(beat.availability(), Availability::Online);
        assert_eq!(beat.lease_expire_time.unwrap().seconds, 1_767_225_660);
        world.suite.hand().advance(Duration::from_secs(59));
        assert_eq!(world.agent("ana").await.availability(), Availability::Online);
        world.suite.hand().advance(Duration::from_secs(1));
        assert_eq!(world.agent("ana").await.availability(), Availability::Offline);
        let online = ListAgentsRequest { availability: Availability::Online.into(), ..Default::default() };
        assert!(ana.list_agents(online).await.unwrap().into_inner().agents.is_empty());
        let offline = ListAgentsRequest { availability: Availability::Offline.into(), ..Default::default() };
        assert_eq!(ana.list_agents(offline).await.unwrap().into_inner().agents.len(), 1);
    }

    // R2
    async fn a_pin_holds_without_heartbeats_and_away_survives_them(engine) {
        let world = World::at_new_year(engine).await;
        let ana = world.online("ana").await;
        assert!(ana.availability_pinned && ana.lease_expire_time.is_none());
        world.suite.hand().advance(Duration::from_secs(3_000));
        assert_eq!(world.agent("ana").await.availability(), Availability::Online);
        let away = SetAvailabilityRequest {
            agent_id: ana.agent_id.clone(),
            availability: Availability::Away.into(),
            pinned: false,
        };
        let mut client = world.agents("ana", Role::Agent);
        client.set_availability(away).await.unwrap();
        let beat = client.send_heartbeat(SendHeartbeatRequest {}).await.unwrap().into_inner();
        assert_eq!(beat.availability(), Availability::Away);
    }

    // R2
    async fn agents_say_it_of_themselves_and_supervisors_of_anybody(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let request = SetAvailabilityRequest {
            agent_id: ana.agent_id,
            availability: Availability::Away.into(),
            pinned: true,
        };
        let refused = world.agents("ben", Role::Agent).set_availability(request.clone()).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)));
        let set = world.agents("boss", Role::Supervisor).set_availability(request).await.unwrap();
        assert_eq!(set.into_inner().agent.unwrap().availability(), Availability::Away);
    }

    // P1
    async fn an_agent_of_another_organization_is_not_found(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let client = world.suite.client("other", "root", Role::Admin);
        let mut other = agent_service_client::AgentServiceClient::new(client);
        let foreign = other.get_agent(GetAgentRequest { agent_id: ana.agent_id }).await.unwrap_err();
        let absent = GetAgentRequest { agent_id: world.request_id() };
        let absent = other.get_agent(absent).await.unwrap_err();
        assert_eq!(refusal(&foreign), (Code::NotFound, Some(ErrorReason::NotFound)));
        assert_eq!((foreign.message(), foreign.details()), (absent.message(), absent.details()));
    }
}
