//! Teams and their members.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, metadata, refusal};

testkit::on_both_databases! {
    // R1
    async fn members_come_and_go_and_each_change_is_counted(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let team = world.team("billing", &[&ana, &ana]).await;
        assert_eq!((team.member_count, team.handle.as_str()), (1, "billing"));
        let ids = vec![ana.agent_id.clone(), ben.agent_id.clone()];
        let add = AddTeamMembersRequest { team_id: team.team_id.clone(), agent_ids: ids.clone() };
        let added = world.teams().add_team_members(add.clone()).await.unwrap().into_inner().team.unwrap();
        assert_eq!(added.member_count, 2);
        assert_ne!(added.etag, team.etag);
        let again = world.teams().add_team_members(add).await.unwrap().into_inner().team.unwrap();
        assert_eq!(again, added, "adding who is there changes nothing");
        assert_eq!(world.agent("ben").await.team_ids, std::slice::from_ref(&team.team_id));
        let remove = RemoveTeamMembersRequest { team_id: team.team_id.clone(), agent_ids: vec![ana.agent_id] };
        let left = world.teams().remove_team_members(remove).await.unwrap().into_inner().team.unwrap();
        assert_eq!(left.member_count, 1);
        let listed = ListAgentsRequest { team_id: team.team_id, ..Default::default() };
        let listed = world.agents("ana", Role::Agent).list_agents(listed).await.unwrap().into_inner().agents;
        assert_eq!(listed.iter().map(|agent| agent.username.as_str()).collect::<Vec<_>>(), ["ben"]);
    }

    // R1
    async fn somebody_who_does_not_exist_cannot_be_a_member(engine) {
        let world = World::on(engine).await;
        let request = CreateTeamRequest {
            handle: "billing".into(),
            agent_ids: vec![world.request_id()],
            ..Default::default()
        };
        let refused = world.teams().create_team(request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::NotFound, Some(ErrorReason::NotFound)));
    }

    // P4, R1
    async fn a_team_is_not_called_by_white_space(engine) {
        let world = World::on(engine).await;
        let blank = CreateTeamRequest {
            handle: "billing".into(),
            display_name: " \n ".into(),
            ..Default::default()
        };
        let refused = world.teams().create_team(blank).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
        assert_eq!(refused.message(), "display_name must have something other than white space");
        let team = world.team("billing", &[]).await;
        let rename = UpdateTeamRequest { team_id: team.team_id, display_name: " ".into(), ..Default::default() };
        let refused = world.teams().update_team(rename).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
    }

    // P6, P7
    async fn teams_are_renamed_and_listed_by_handle(engine) {
        let world = World::on(engine).await;
        let team = world.team("zeta", &[]).await;
        world.team("alpha", &[]).await;
        let request = UpdateTeamRequest {
            team_id: team.team_id.clone(),
            handle: "beta".into(),
            etag: team.etag,
            ..Default::default()
        };
        world.teams().update_team(request.clone()).await.unwrap();
        let refused = world.teams().update_team(request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Aborted, Some(ErrorReason::StaleEtag)));
        let first = world.teams().list_teams(ListTeamsRequest { page_size: 1, page_token: String::new() }).await;
        let first = first.unwrap().into_inner();
        let rest = ListTeamsRequest { page_size: 1, page_token: first.next_page_token };
        let rest = world.teams().list_teams(rest).await.unwrap().into_inner();
        let handles: Vec<&str> = first.teams.iter().chain(&rest.teams).map(|team| team.handle.as_str()).collect();
        assert_eq!((handles.as_slice(), rest.next_page_token.as_str()), (["alpha", "beta"].as_slice(), ""));
        assert_eq!(world.agent("zeta").await.username, "zeta", "the old handle is free again");
    }

    // R1
    async fn a_team_is_deleted_only_when_nothing_names_it(engine) {
        let world = World::on(engine).await;
        let team = world.team("airline", &[&world.agent("ana").await]).await;
        let workflow = world.route("", &team).await;
        let it = world.begin("c-1").await;
        let delete = || DeleteTeamRequest { team_id: team.team_id.clone(), etag: String::new() };
        let refused = world.teams().delete_team(delete()).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, Some(ErrorReason::InUse)));
        assert_eq!(metadata(&refused, "used_by").as_deref(), Some("workflow"));
        let gone = DeleteWorkflowRequest { workflow_id: workflow.workflow_id, etag: String::new() };
        world.workflows().delete_workflow(gone).await.unwrap();
        let refused = world.teams().delete_team(delete()).await.unwrap_err();
        assert_eq!(metadata(&refused, "used_by").as_deref(), Some("conversation"));
        world.resolve(&it.conversation_id).await;
        world.teams().delete_team(delete()).await.unwrap();
        assert_eq!(world.teams().delete_team(delete()).await.unwrap_err().code(), Code::NotFound);
        assert!(world.agent("ana").await.team_ids.is_empty());
        // R6: the conversation outlives its team.
        let reopened = world.record(crate::world::inbound("c-1", "2")).await.conversation.unwrap();
        assert_eq!((reopened.status(), reopened.team_id.as_str()), (ConversationStatus::Open, ""));
    }
}
