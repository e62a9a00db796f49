//! Workflows.

use proto::common::v1::ErrorReason;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, assign_team, inbound, metadata, refusal, spec};

fn create(spec: WorkflowSpec) -> CreateWorkflowRequest {
    CreateWorkflowRequest { spec: Some(spec), request_id: String::new() }
}

testkit::on_both_databases! {
    // R9
    async fn a_bad_condition_is_refused_at_save_with_its_position(engine) {
        let world = World::on(engine).await;
        let team = world.team("airline", &[]).await;
        let bad = spec("true &&\n  conversation.sorce == 'x'", vec![assign_team(&team)]);
        let refused = world.workflows().create_workflow(create(bad.clone())).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidExpression)));
        assert_eq!(metadata(&refused, "line").as_deref(), Some("2"));
        assert!(metadata(&refused, "column").is_some() && metadata(&refused, "expected").is_some());
        let workflow = world.route("true", &team).await;
        let update = UpdateWorkflowRequest { workflow_id: workflow.workflow_id, spec: Some(bad), ..Default::default() };
        let refused = world.workflows().update_workflow(update).await.unwrap_err();
        assert_eq!(refusal(&refused).1, Some(ErrorReason::InvalidExpression));
    }

    // R9
    async fn a_workflow_needs_a_name_an_action_and_a_team_that_exists(engine) {
        let world = World::on(engine).await;
        let team = world.team("airline", &[]).await;
        let nameless = WorkflowSpec { name: String::new(), ..spec("", vec![assign_team(&team)]) };
        let absent = Team { team_id: world.request_id(), ..Default::default() };
        for (wrong, code) in [
            (nameless, Code::InvalidArgument),
            (spec("", vec![]), Code::InvalidArgument),
            (spec("", vec![assign_team(&absent)]), Code::NotFound),
        ] {
            assert_eq!(world.workflows().create_workflow(create(wrong)).await.unwrap_err().code(), code);
        }
    }

    // R9
    async fn an_organization_has_at_most_200_workflows_and_is_told_so(engine) {
        let world = World::on(engine).await;
        let team = world.team("airline", &[]).await;
        let spec = spec("true", vec![assign_team(&team)]);
        let mut made = Vec::new();
        for _ in 0..200 {
            let created = world.workflows().create_workflow(create(spec.clone())).await.unwrap().into_inner();
            made.push(created.workflow.unwrap().workflow_id);
        }
        let refused = world.workflows().create_workflow(create(spec.clone())).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, Some(ErrorReason::LimitReached)));
        assert_eq!(metadata(&refused, "limit").as_deref(), Some("200"));
        let delete = DeleteWorkflowRequest { workflow_id: made.pop().unwrap(), ..Default::default() };
        world.workflows().delete_workflow(delete).await.unwrap();
        world.workflows().create_workflow(create(spec)).await.unwrap();
    }

    // R9
    async fn conversations_get_the_team_the_tags_and_the_priority_that_workflows_say(engine) {
        let world = World::on(engine).await;
        let team = world.team("airline", &[]).await;
        let actions = vec![
            action::Action::AddTags(AddTags { tags: vec!["lost".into()] }),
            action::Action::SetPriority(SetPriority { priority: Priority::Urgent.into() }),
        ];
        let first = WorkflowSpec { position: 1, ..spec("message.text.contains('bag') && 'vip' in contact.tags", actions) };
        let second = WorkflowSpec { position: 2, ..spec("'lost' in conversation.tags", vec![assign_team(&team)]) };
        world.workflows().create_workflow(create(second)).await.unwrap();
        world.workflows().create_workflow(create(first)).await.unwrap();
        let vip = RecordMessageRequest { contact_address: "vip-1".into(), tags: vec!["own".into()], ..inbound("c-1", "1") };
        let it = world.record(vip).await.conversation.unwrap();
        assert_eq!((it.priority(), it.team_id.as_str()), (Priority::Urgent, team.team_id.as_str()));
        assert_eq!(it.tags, ["lost", "own"]);
        let other = world.begin("c-2").await;
        assert_eq!((other.priority(), other.team_id.as_str(), other.tags.len()), (Priority::Normal, "", 0));
    }

    // R9
    async fn a_changed_set_counts_from_the_next_conversation_on(engine) {
        let world = World::on(engine).await;
        let team = world.team("airline", &[]).await;
        assert_eq!(world.begin("c-0").await.team_id, "");
        let workflow = world.route("", &team).await;
        assert_eq!(world.begin("c-1").await.team_id, team.team_id);
        let off = UpdateWorkflowRequest {
            workflow_id: workflow.workflow_id.clone(),
            spec: Some(WorkflowSpec { disabled: true, ..Default::default() }),
            etag: workflow.etag,
            ..Default::default()
        };
        let off = world.workflows().update_workflow(off).await.unwrap().into_inner().workflow.unwrap();
        assert!(off.disabled && off.name == "route");
        assert_eq!(world.begin("c-2").await.team_id, "");
        let gone = DeleteWorkflowRequest { workflow_id: workflow.workflow_id, etag: off.etag };
        world.workflows().delete_workflow(gone.clone()).await.unwrap();
        assert_eq!(world.workflows().delete_workflow(gone).await.unwrap_err().code(), Code::NotFound);
    }

    // P7
    async fn workflows_are_listed_in_running_order(engine) {
        let world = World::on(engine).await;
        let team = world.team("airline", &[]).await;
        for position in [3, 1, 2] {
            let spec = WorkflowSpec { position, ..spec("", vec![assign_team(&team)]) };
            world.workflows().create_workflow(create(spec)).await.unwrap();
        }
        let mut positions = Vec::new();
        let mut page_token = String::new();
        loop {
            let page = world.workflows().list_workflows(ListWorkflowsRequest { page_size: 2, page_token }).await;
            let page = page.unwrap().into_inner();
            positions.extend(page.workflows.iter().map(|workflow| workflow.position));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(positions, [1, 2, 3]);
    }
}
