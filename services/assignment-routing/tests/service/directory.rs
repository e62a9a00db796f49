//! What `@` resolves.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, refusal};

/// The usernames of whom a search finds.
async fn found(world: &World, request: SearchPeopleRequest) -> Vec<String> {
    let people = world.directory().search_people(request).await.unwrap().into_inner().people;
    people.into_iter().map(|found| found.person.unwrap().username).collect()
}

testkit::on_both_databases! {
    // N7
    async fn names_resolve_to_agents_and_teams_in_one_call_and_unknown_ones_to_nothing(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let team = world.team("billing", &[&ben, &ana]).await;
        let handles = ["Billing", "nobody", "ANA", "ana"].map(str::to_owned).to_vec();
        let answer = world.directory().resolve_handles(ResolveHandlesRequest { handles }).await.unwrap().into_inner();
        let [billing, nobody, one] = answer.handles.as_slice() else { panic!("one entry for each distinct name") };
        assert_eq!((billing.kind(), billing.team_id.as_str()), (HandleKind::Team, team.team_id.as_str()));
        let names: Vec<&str> = billing.people.iter().map(|person| person.username.as_str()).collect();
        assert_eq!(names, ["ana", "ben"]);
        assert_eq!((nobody.kind(), nobody.handle.as_str()), (HandleKind::Unspecified, "nobody"));
        assert_eq!((one.kind(), one.people[0].subject.as_str()), (HandleKind::Agent, "ana"));
    }

    // I3
    async fn an_agent_finds_supervisors_by_how_their_names_begin_and_sees_who_is_there(engine) {
        let world = World::on(engine).await;
        for (username, name, role) in [
            ("cruz", "Maria Cruz", Role::Supervisor),
            ("root", "Mario Rossi", Role::Admin),
            ("mara", "Mara Agent", Role::Agent),
            ("omer", "Ömer Kaya", Role::Supervisor),
        ] {
            let profile = AgentProfile {
                username: username.into(),
                display_name: name.into(),
                role: rpc::convert::proto_role(role).into(),
                ..Default::default()
            };
            let request =
                CreateAgentRequest { subject: format!("sub-{username}"), profile: Some(profile), ..Default::default() };
            world.agents("admin", Role::Admin).create_agent(request).await.unwrap();
        }
        let supervisors = |query: &str| SearchPeopleRequest {
            query: query.into(),
            supervisors_only: true,
            ..Default::default()
        };
        assert_eq!(found(&world, supervisors("mar")).await, ["cruz", "root"]);
        assert_eq!(found(&world, supervisors("ros")).await, ["root"], "by a later word of the name");
        assert_eq!(found(&world, supervisors("ÖM")).await, ["omer"], "letters beyond ASCII have case too");
        assert_eq!(found(&world, supervisors("@cruz")).await, ["cruz"]);
        assert!(found(&world, supervisors("ara")).await.is_empty(), "not from the middle of a word");
        let everybody = SearchPeopleRequest { query: "mar".into(), ..Default::default() };
        assert_eq!(found(&world, everybody).await, ["cruz", "mara", "root"]);

        world.agents("sub-cruz", Role::Supervisor).send_heartbeat(SendHeartbeatRequest {}).await.unwrap();
        let people = world.directory().search_people(supervisors("cruz")).await.unwrap().into_inner().people;
        assert_eq!(people[0].role(), proto::common::v1::Role::Supervisor);
        assert_eq!(people[0].availability(), Availability::Online);
        assert_eq!(people[0].person.as_ref().unwrap().subject, "sub-cruz");
    }

    // I3, P7
    async fn people_are_found_page_by_page_and_each_once(engine) {
        let world = World::on(engine).await;
        for subject in ["ana-1", "ana-2", "ben", "zoe.ana", "ana-3"] {
            world.agent(subject).await;
        }
        let (mut names, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = SearchPeopleRequest {
                query: "ana".into(),
                page_size: 2,
                page_token: page_token.clone(),
                ..Default::default()
            };
            let page = world.directory().search_people(request).await.unwrap().into_inner();
            names.push(page.people.into_iter().map(|found| found.person.unwrap().username).collect::<Vec<_>>());
            if page.next_page_token.is_empty() {
                break;
            }
            page_token = page.next_page_token;
        }
        assert_eq!(names, [vec!["ana-1", "ana-2"], vec!["ana-3", "zoe.ana"]]);
        let other = SearchPeopleRequest { query: "b".into(), page_token, ..Default::default() };
        let refused = world.directory().search_people(other).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidPageToken)));
    }

    // D4
    async fn another_service_learns_how_to_reach_people_and_nobody_else_does(engine) {
        let world = World::on(engine).await;
        let profile = AgentProfile {
            username: "ana".into(),
            display_name: "Ana Lima".into(),
            email: "ana@acme.example".into(),
            languages: vec!["pt-BR".into(), "en".into()],
            time_zone: "America/Sao_Paulo".into(),
            ..Default::default()
        };
        let request = CreateAgentRequest { subject: "sub-ana".into(), profile: Some(profile), ..Default::default() };
        world.agents("admin", Role::Admin).create_agent(request).await.unwrap();
        world.agent("ben").await;
        let subjects = ["sub-ana", "ben", "nobody"].map(str::to_owned).to_vec();
        let asked = BatchGetProfilesRequest { subjects };
        let ask = |org: &str, role| {
            let client = world.suite.client(org, "notifications", role);
            let (mut directory, asked) =
                (directory_service_client::DirectoryServiceClient::new(client), asked.clone());
            async move { directory.batch_get_profiles(asked).await }
        };
        let profiles = ask("acme", Role::Service).await.unwrap().into_inner().profiles;
        let [ana, ben] = profiles.as_slice() else { panic!("two have a profile: {profiles:?}") };
        assert_eq!((ana.email.as_str(), ana.time_zone.as_str()), ("ana@acme.example", "America/Sao_Paulo"));
        assert_eq!(ana.languages, ["pt-BR", "en"]);
        assert_eq!(ana.person.as_ref().unwrap().display_name, "Ana Lima");
        assert_eq!((ben.person.as_ref().unwrap().subject.as_str(), ben.email.as_str()), ("ben", ""));
        assert!(ask("other", Role::Service).await.unwrap().into_inner().profiles.is_empty());
        assert_eq!(ask("acme", Role::Admin).await.unwrap_err().code(), Code::PermissionDenied);
    }

    // P1
    async fn names_of_another_organization_are_unknown(engine) {
        let world = World::on(engine).await;
        world.agent("ana").await;
        let client = world.suite.client("other", "eve", kernel::Role::Agent);
        let mut other = directory_service_client::DirectoryServiceClient::new(client);
        let request = ResolveHandlesRequest { handles: vec!["ana".into()] };
        let answer = other.resolve_handles(request).await.unwrap().into_inner();
        assert_eq!(answer.handles[0].kind(), HandleKind::Unspecified);
        let found = other.search_people(SearchPeopleRequest::default()).await.unwrap().into_inner();
        assert!(found.people.is_empty(), "nor is anybody found");
    }
}
