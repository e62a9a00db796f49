//! What a draft of the workflows would have made of past conversations.

use std::time::Duration;

use kernel::{Role, Timestamp};
use proto::common::v1::ErrorReason;
use proto::routing::v1::action::Action as Do;
use proto::routing::v1::simulation_service_client::SimulationServiceClient;
use proto::routing::v1::*;
use rpc::convert::proto_time;
use tonic::{Code, Status};

use crate::workflow_triggers::add_tags;
use crate::world::{NEW_YEAR, World, assign_team, inbound, metadata, refusal, spec};

impl World {
    async fn simulate(&self, request: SimulateWorkflowsRequest) -> Result<SimulateWorkflowsResponse, Status> {
        let mut client = SimulationServiceClient::new(self.client("sue", Role::Supervisor));
        Ok(client.simulate_workflows(request).await?.into_inner())
    }
}

fn since(time: Timestamp, workflows: Vec<WorkflowSpec>) -> SimulateWorkflowsRequest {
    SimulateWorkflowsRequest { workflows, start_time: Some(proto_time(time)), ..Default::default() }
}

fn texts(name: &str, text: &str) -> RecordMessageRequest {
    RecordMessageRequest { text: text.into(), ..inbound(name, "1") }
}

testkit::on_both_databases! {
    // R15
    async fn a_draft_is_held_against_the_workflows_as_they_are_and_nothing_changes(engine) {
        let world = World::on(engine).await;
        let ana = world.online("ana").await;
        let (bags, seats) = (world.team("bags", &[&ana]).await, world.team("seats", &[]).await);
        let present = world.route("message.text.contains('bag')", &bags).await;
        let mut ids = Vec::new();
        for (name, text) in [("c-1", "my bag"), ("c-2", "my seat"), ("c-3", "hello")] {
            ids.push(world.record(texts(name, text)).await.conversation.unwrap().conversation_id);
        }
        let before = world.assigned(&ids[0]).await;
        let told = world.told(1).await.len();
        let draft = vec![
            WorkflowSpec { position: 2, name: "last".into(), ..spec("'seen' in conversation.tags", vec![Do::Notify(NotifyPeople {
                team_id: bags.team_id.clone(), reason: "A seat.".into(), ..Default::default() })]) },
            WorkflowSpec { position: 1, name: "seats".into(), trigger: Trigger::MessageReceived.into(), ..spec("message.text.contains('seat')", vec![
                assign_team(&seats), add_tags(&["seen"]), Do::AddNote(AddNote { text: "a seat".into() })]) },
            spec("message.text.contains('bag')", vec![assign_team(&bags)]),
            spec("conversation.tags[9] == 'x'", vec![assign_team(&bags)]),
        ];
        let answer = world.simulate(since(NEW_YEAR, draft)).await.unwrap();
        assert_eq!((answer.looked_at_count, answer.failed_count, answer.next_page_token.as_str()), (3, 3, ""));
        let [changed] = answer.changed.as_slice() else { panic!("one differs: {:?}", answer.changed) };
        assert_eq!(changed.conversation_id, ids[1]);
        let (now, then) = (changed.present.as_ref().unwrap(), changed.draft.as_ref().unwrap());
        assert_eq!((now.team_id.as_str(), now.tags.len(), now.workflows.len()), ("", 0, 0));
        assert_eq!((then.team_id.as_str(), then.tags.as_slice()), (seats.team_id.as_str(), ["seen".to_owned()].as_slice()));
        assert_eq!((then.notification_count, then.note_count), (1, 1));
        let ran: Vec<(i32, &str)> = then.workflows.iter().map(|it| (it.draft_index, it.name.as_str())).collect();
        assert_eq!(ran, [(3, "route"), (1, "seats"), (0, "last")]);
        assert_eq!(then.workflows[0].verdict(), WorkflowVerdict::Failed);

        let none = world.simulate(since(NEW_YEAR, vec![])).await.unwrap();
        let [lost] = none.changed.as_slice() else { panic!("one differs") };
        assert_eq!(lost.present.as_ref().unwrap().workflows[0].workflow_id, present.workflow_id);
        assert_eq!((lost.conversation_id.as_str(), lost.draft.as_ref().unwrap().team_id.as_str()), (ids[0].as_str(), ""));

        assert_eq!(world.read(&ids[0]).await, before);
        assert_eq!(world.read(&ids[1]).await.tags.len(), 0);
        assert_eq!((world.told(told).await.len(), world.notes.so_far().len()), (told, 0), "nobody was told");
        assert_eq!(world.decisions(&ids[1]).await.len(), 1);
        let listed = world.workflows().list_workflows(ListWorkflowsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.workflows, [present]);
    }

    // R15
    async fn a_draft_that_is_what_there_is_changes_nothing_whatever_its_workflows_do(engine) {
        let world = World::on(engine).await;
        let (ana, bags) = (world.agent("ana").await, world.team("bags", &[]).await);
        let tell = Do::Notify(NotifyPeople { agent_ids: vec![ana.agent_id], reason: "A bag.".into(), ..Default::default() });
        let note = Do::AddNote(AddNote { text: "a bag".into() });
        let workflow = spec("message.text.contains('bag')", vec![tell, note, add_tags(&["seen"]), assign_team(&bags)]);
        let create = CreateWorkflowRequest { spec: Some(workflow.clone()), ..Default::default() };
        world.workflows().create_workflow(create).await.unwrap();
        world.record(texts("c-1", "my bag")).await;
        let answer = world.simulate(since(NEW_YEAR, vec![workflow])).await.unwrap();
        assert_eq!((answer.looked_at_count, answer.changed), (1, vec![]));
    }

    // R15, P7
    async fn every_conversation_of_the_range_is_looked_at_once_page_by_page(engine) {
        let world = World::at_new_year(engine).await;
        let team = world.team("all", &[]).await;
        for index in 0..7 {
            world.record(texts(&format!("c-{index}"), if index == 5 { "seat" } else { "bag" })).await;
            world.suite.hand().advance(Duration::from_secs(60));
        }
        let draft = vec![spec("message.text == 'seat'", vec![assign_team(&team)])];
        let minute = |minute: u64| NEW_YEAR.plus(Duration::from_secs(60 * minute));
        let mut request = SimulateWorkflowsRequest {
            page_size: 2,
            end_time: Some(proto_time(minute(6))),
            ..since(minute(1), draft)
        };
        let (mut pages, mut looked_at, mut changed) = (0, 0, 0);
        loop {
            let page = world.simulate(request.clone()).await.unwrap();
            pages += 1;
            looked_at += page.looked_at_count;
            changed += page.changed.len();
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
            let other = SimulateWorkflowsRequest { workflows: vec![], ..request.clone() };
            let refused = world.simulate(other).await.unwrap_err();
            assert_eq!(refusal(&refused).1, Some(ErrorReason::InvalidPageToken), "a token is of its draft");
        }
        assert_eq!((pages, looked_at, changed), (3, 5, 1));
    }

    // R15
    async fn a_draft_sees_the_contact_and_the_clock_of_then(engine) {
        let world = World::at_new_year(engine).await;
        let team = world.team("vip", &[]).await;
        let vip = RecordMessageRequest { contact_address: "vip-1".into(), ..inbound("c-1", "1") };
        let it = world.record(vip).await.conversation.unwrap();
        world.begin("c-2").await;
        world.contacts.block("customer-spam", true);
        world.begin("spam").await;
        world.suite.hand().advance(Duration::from_secs(5 * 3600));
        let draft = vec![spec("'vip' in contact.tags && time.hour == 0", vec![assign_team(&team)])];
        let answer = world.simulate(since(NEW_YEAR, draft.clone())).await.unwrap();
        assert_eq!(answer.looked_at_count, 2, "no workflow was there for the blocked one");
        let changed: Vec<&str> = answer.changed.iter().map(|it| it.conversation_id.as_str()).collect();
        assert_eq!(changed, [it.conversation_id.as_str()]);
        world.contacts.go_down(true);
        let refused = world.simulate(since(NEW_YEAR, draft)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable, "a guess would be no answer");
    }

    // R15
    async fn a_draft_that_could_not_be_saved_is_refused_with_its_place(engine) {
        let world = World::on(engine).await;
        let team = world.team("bags", &[]).await;
        let fine = spec("true", vec![assign_team(&team)]);
        let bad = spec("true &&\n  conversation.sorce == 'x'", vec![assign_team(&team)]);
        let refused = world.simulate(since(NEW_YEAR, vec![fine.clone(), bad])).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidExpression)));
        assert_eq!(metadata(&refused, "line").as_deref(), Some("2"));
        let details = tonic_types::StatusExt::get_details_bad_request(&refused).unwrap();
        assert_eq!(details.field_violations[0].field, "workflows[1].condition");
        let absent = Team { team_id: world.request_id(), ..Default::default() };
        let nobody = spec("", vec![assign_team(&absent)]);
        assert_eq!(world.simulate(since(NEW_YEAR, vec![nobody])).await.unwrap_err().code(), Code::NotFound);
        let before = Timestamp::from_micros(NEW_YEAR.as_micros() - 1);
        let backwards = SimulateWorkflowsRequest { end_time: Some(proto_time(before)), ..since(NEW_YEAR, vec![fine]) };
        assert_eq!(world.simulate(backwards).await.unwrap_err().code(), Code::InvalidArgument);
        let agent = world.suite.client("acme", "ana", Role::Agent);
        let denied = SimulationServiceClient::new(agent).simulate_workflows(since(NEW_YEAR, vec![])).await;
        assert_eq!(denied.unwrap_err().code(), Code::PermissionDenied);
    }
}
