//! Why somebody has a conversation, or nobody.

use kernel::Role;
use proto::routing::v1::assign_conversation_request::Target;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, assign_team, spec};

testkit::on_both_databases! {
    // R15
    async fn a_decision_names_candidates_exclusions_rule_and_strategy(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.online("ana").await, world.agent("ben").await);
        let (cem, dora) = (world.agent("cem").await, world.online("dora").await);
        world.pin("cem", &cem, Availability::Away).await;
        let team = world.team("airline", &[&ana, &ben, &cem, &dora]).await;
        let never = WorkflowSpec { name: "never".into(), ..spec("false", vec![assign_team(&team)]) };
        let request = CreateWorkflowRequest { spec: Some(never), request_id: String::new() };
        world.workflows().create_workflow(request).await.unwrap();
        let routed = world.route("true", &team).await;
        let it = world.begin("c-1").await;
        world.assigned(&it.conversation_id).await;
        let decided = world.decisions(&it.conversation_id).await;
        let [decision] = decided.as_slice() else { panic!("one decision") };
        assert_eq!((decision.cause(), decision.outcome()), (DecisionCause::Workflow, DecisionOutcome::Assigned));
        assert_eq!((decision.strategy(), decision.team_id.as_str()), (Strategy::RoundRobin, team.team_id.as_str()));
        assert_eq!(decision.chosen.as_ref().unwrap().username, "ana");
        let verdicts: Vec<WorkflowVerdict> = decision.workflows.iter().map(|trace| trace.verdict()).collect();
        assert_eq!(verdicts, [WorkflowVerdict::NotMatched, WorkflowVerdict::Matched]);
        assert_eq!(decision.workflows[1].workflow_id, routed.workflow_id);
        let candidates: Vec<(String, Exclusion)> = decision
            .candidates
            .iter()
            .map(|candidate| (candidate.agent.clone().unwrap().username, candidate.exclusion()))
            .collect();
        assert_eq!(candidates, [
            ("ana".to_owned(), Exclusion::Unspecified),
            ("ben".to_owned(), Exclusion::Offline),
            ("cem".to_owned(), Exclusion::Away),
            ("dora".to_owned(), Exclusion::NotTheirTurn),
        ]);
        assert_eq!(
            decision.summary,
            "It was the turn of ana by round robin: 2 of 4 agents could take it; workflow \"route\" chose the team."
        );
    }

    // R15
    async fn an_unrouted_conversation_says_so_and_people_decide_after_it(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let it = world.begin("c-1").await;
        assert_eq!(world.view("ana", InboxView::Unassigned).await.len(), 1);
        let given = world.assign("ana", &it, &ana).await.unwrap();
        world.order("ana", &given, Target::Nobody(())).await.unwrap();
        let mut outcomes = Vec::new();
        let mut page_token = String::new();
        loop {
            let conversation_id = it.conversation_id.clone();
            let request = ExplainAssignmentRequest { conversation_id, page_size: 2, page_token };
            let page = world.assignments("ana").explain_assignment(request).await.unwrap().into_inner();
            outcomes.extend(page.decisions.iter().map(|decision| decision.outcome()));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        use DecisionOutcome::{Assigned, Unassigned, Unrouted};
        assert_eq!(outcomes, [Unassigned, Assigned, Unrouted], "newest first");
    }

    // P1
    async fn decisions_of_another_organization_are_not_found(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        let client = world.suite.client("other", "eve", Role::Admin);
        let mut other = assignment_service_client::AssignmentServiceClient::new(client);
        let request = ExplainAssignmentRequest { conversation_id: it.conversation_id, ..Default::default() };
        assert_eq!(other.explain_assignment(request).await.unwrap_err().code(), Code::NotFound);
    }
}
