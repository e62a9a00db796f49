//! What `@` resolves.

use proto::routing::v1::*;

use crate::world::World;

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

    // P1
    async fn names_of_another_organization_are_unknown(engine) {
        let world = World::on(engine).await;
        world.agent("ana").await;
        let client = world.suite.client("other", "eve", kernel::Role::Agent);
        let mut other = directory_service_client::DirectoryServiceClient::new(client);
        let request = ResolveHandlesRequest { handles: vec!["ana".into()] };
        let answer = other.resolve_handles(request).await.unwrap().into_inner();
        assert_eq!(answer.handles[0].kind(), HandleKind::Unspecified);
    }
}
