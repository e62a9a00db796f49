//! Workflows that a wait triggers.

use std::time::Duration;

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::routing::v1::action::Action as Do;
use proto::routing::v1::*;
use tonic::Code;

use crate::workflow_triggers::add_tags;
use crate::world::{World, assign_team, inbound, outbound, refusal, spec};

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

impl World {
    /// A workflow of a wait.
    async fn after(&self, trigger: Trigger, wait: i64, condition: &str, actions: Vec<Do>) -> Workflow {
        let name = format!("{trigger:?} {wait}");
        let spec =
            WorkflowSpec { trigger: trigger.into(), after: seconds(wait), name, ..spec(condition, actions) };
        let request = CreateWorkflowRequest { spec: Some(spec), request_id: String::new() };
        self.workflows().create_workflow(request).await.unwrap().into_inner().workflow.unwrap()
    }

    async fn tagged(&self, id: &str, tag: &str) -> Conversation {
        self.until(id, |it| it.tags.iter().any(|it| it == tag)).await
    }

    /// How many decisions say that workflows ran.
    async fn runs(&self, id: &str) -> usize {
        self.decisions(id).await.iter().filter(|it| it.outcome() == DecisionOutcome::Unchanged).count()
    }

    async fn snooze(&self, id: &str, seconds: u64) {
        let until = self.suite.clock().now().plus(Duration::from_secs(seconds));
        let request = SnoozeConversationRequest {
            conversation_id: id.to_owned(),
            snooze_until_time: Some(rpc::convert::proto_time(until)),
            etag: String::new(),
        };
        self.conversations("ana", Role::Agent).snooze_conversation(request).await.unwrap();
    }
}

testkit::on_both_databases! {
    // R9
    async fn a_conversation_that_nobody_has_for_too_long_is_looked_at_once_for_each_such_wait(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        let rescue = world.team("rescue", &[&ana]).await;
        world.after(Trigger::UnassignedFor, 30, "", vec![add_tags(&["early"])]).await;
        world.after(Trigger::UnassignedFor, 60, "conversation.priority == 'NORMAL' && !conversation.assigned", vec![
            add_tags(&["late"]), assign_team(&rescue),
        ]).await;
        let it = world.begin("c-1").await;
        world.pass(30);
        let early = world.tagged(&it.conversation_id, "early").await;
        assert_eq!((early.tags.as_slice(), early.team_id.as_str()), (["early".to_owned()].as_slice(), ""));
        world.pass(30);
        let had = world.assigned(&it.conversation_id).await;
        assert_eq!((had.tags.as_slice(), had.team_id), (["early".to_owned(), "late".to_owned()].as_slice(), rescue.team_id));
        let why = world.decisions(&it.conversation_id).await;
        let rescued = why.iter().find(|it| it.outcome() == DecisionOutcome::Assigned).unwrap();
        assert!(rescued.summary.contains("workflow \"UnassignedFor 60\" chose the team"), "{}", rescued.summary);

        let other = world.begin("c-2").await;
        world.pass(30);
        world.tagged(&other.conversation_id, "early").await;
        assert_eq!(world.runs(&it.conversation_id).await, 1, "whoever has it, it is not looked at again");
        let nobody = assign_conversation_request::Target::Nobody(());
        let taken = world.order("ana", &world.read(&it.conversation_id).await, nobody).await.unwrap();
        world.pass(30);
        world.decided(&taken.conversation_id, why.len() + 2).await;
        assert_eq!(world.runs(&it.conversation_id).await, 2, "a new wait");
    }

    // R9
    async fn a_customer_without_an_answer_is_looked_at_once_for_each_such_wait(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        world.after(Trigger::NoReplyFor, 60, "conversation.assigned", vec![
            Do::Notify(NotifyPeople { agent_ids: vec![ana.agent_id.clone()], reason: "A customer waits.".into(), ..Default::default() }),
        ]).await;
        let marked = world.after(Trigger::NoReplyFor, 60, "!conversation.assigned", vec![add_tags(&["marked"])]).await;
        assert_eq!((marked.after, marked.trigger()), (seconds(60), Trigger::NoReplyFor));
        let it = world.begin("c-1").await;
        let it = world.assign("ben", &it, &ana).await.unwrap();
        world.pass(40);
        world.record(inbound("c-1", "2")).await;
        world.pass(20);
        world.decided(&it.conversation_id, 3).await;
        assert_eq!(world.runs(&it.conversation_id).await, 1, "from the first message that nobody answered");
        world.record(outbound("c-1", "3")).await;
        world.record(inbound("c-1", "4")).await;
        world.pass(59);
        world.record(outbound("c-1", "5")).await;
        let marker = world.begin("c-2").await;
        world.pass(60);
        world.tagged(&marker.conversation_id, "marked").await;
        assert_eq!(world.runs(&it.conversation_id).await, 1, "answered in time");
        world.record(inbound("c-1", "6")).await;
        world.pass(60);
        world.decided(&it.conversation_id, 4).await;
        assert_eq!(world.runs(&it.conversation_id).await, 2);
        let told = world.told(3).await;
        assert_eq!(told.iter().filter(|it| it.reason.ends_with("A customer waits.")).count(), 2);
    }

    // R9
    async fn a_wait_is_over_while_a_conversation_is_put_aside_and_begins_anew_behind_that(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        world.after(Trigger::NoReplyFor, 60, "", vec![add_tags(&["waited"])]).await;
        let it = world.begin("c-1").await;
        let it = world.assign("ana", &it, &ana).await.unwrap();
        world.snooze(&it.conversation_id, 100).await;
        world.pass(70);
        let marker = world.begin("c-2").await;
        world.pass(30);
        world.until(&it.conversation_id, |it| it.status() == ConversationStatus::Open).await;
        world.pass(30);
        world.tagged(&marker.conversation_id, "waited").await;
        assert!(world.read(&it.conversation_id).await.tags.is_empty());
        world.pass(30);
        world.tagged(&it.conversation_id, "waited").await;
    }

    // R9
    async fn a_wait_that_became_longer_is_looked_at_again_and_one_of_no_workflow_not_at_all(engine) {
        let world = World::attentive(engine).await;
        let longer = world.after(Trigger::UnassignedFor, 60, "", vec![add_tags(&["longer"])]).await;
        let off = world.after(Trigger::UnassignedFor, 60, "", vec![add_tags(&["off"])]).await;
        let gone = world.after(Trigger::UnassignedFor, 60, "", vec![add_tags(&["gone"])]).await;
        world.after(Trigger::UnassignedFor, 60, "", vec![add_tags(&["marked"])]).await;
        let it = world.begin("c-1").await;
        let change = |id: &str, spec| UpdateWorkflowRequest { workflow_id: id.to_owned(), spec: Some(spec), ..Default::default() };
        let spec = WorkflowSpec { after: seconds(90), ..Default::default() };
        let changed = world.workflows().update_workflow(change(&longer.workflow_id, spec)).await.unwrap().into_inner();
        assert_eq!(changed.workflow.unwrap().after, seconds(90));
        let spec = WorkflowSpec { disabled: true, ..Default::default() };
        world.workflows().update_workflow(change(&off.workflow_id, spec)).await.unwrap();
        let delete = DeleteWorkflowRequest { workflow_id: gone.workflow_id, etag: String::new() };
        world.workflows().delete_workflow(delete).await.unwrap();
        world.pass(60);
        let marked = world.tagged(&it.conversation_id, "marked").await;
        assert_eq!(marked.tags, ["marked"]);
        world.pass(30);
        assert_eq!(world.tagged(&it.conversation_id, "longer").await.tags, ["longer", "marked"]);
    }

    // R9
    async fn a_wait_outlives_the_process_and_each_is_looked_at_once(engine) {
        let mut world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        world.after(Trigger::UnassignedFor, 60, "", vec![
            add_tags(&["waited"]),
            Do::Notify(NotifyPeople { agent_ids: vec![ana.agent_id], reason: "Nobody has it.".into(), ..Default::default() }),
        ]).await;
        let mut ids = Vec::new();
        for number in 0..20 {
            ids.push(world.begin(&format!("c-{number}")).await.conversation_id);
        }
        world.suite.restart().await;
        world.pass(60);
        for id in &ids {
            world.tagged(id, "waited").await;
        }
        let told = world.told(20).await;
        let mut of: Vec<&str> = told.iter().map(|it| it.conversation_id.as_str()).collect();
        of.sort_unstable();
        ids.sort_unstable();
        assert_eq!(of, ids);
    }

    // R9
    async fn what_contacts_knows_is_asked_when_the_wait_is_over(engine) {
        let world = World::attentive(engine).await;
        world.after(Trigger::UnassignedFor, 60, "'gold' in contact.tags", vec![add_tags(&["gold"])]).await;
        world.after(Trigger::UnassignedFor, 60, "!('gold' in contact.tags)", vec![add_tags(&["plain"])]).await;
        let (first, second) = (world.begin("c-1").await, world.begin("c-2").await);
        world.contacts.change("customer-c-1", |contact| contact.tags.push("gold".into()));
        world.contacts.asked();
        world.pass(60);
        assert_eq!(world.until(&first.conversation_id, |it| !it.tags.is_empty()).await.tags, ["gold"]);
        assert_eq!(world.until(&second.conversation_id, |it| !it.tags.is_empty()).await.tags, ["plain"]);
    }

    // R9
    async fn a_wait_belongs_to_the_triggers_that_have_one(engine) {
        let world = World::on(engine).await;
        let fit = |trigger: Trigger, after| WorkflowSpec { trigger: trigger.into(), after, ..spec("", vec![add_tags(&["x"])]) };
        let bad = [
            fit(Trigger::UnassignedFor, None),
            fit(Trigger::NoReplyFor, None),
            fit(Trigger::NoReplyFor, seconds(9)),
            fit(Trigger::NoReplyFor, seconds(30 * 86_400 + 1)),
            fit(Trigger::NoReplyFor, seconds(-60)),
            fit(Trigger::MessageReceived, seconds(60)),
        ];
        for spec in bad {
            let request = CreateWorkflowRequest { spec: Some(spec), request_id: String::new() };
            let refused = world.workflows().create_workflow(request).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
            assert!(refused.message().contains("after"), "{}", refused.message());
        }
        let request = CreateWorkflowRequest { spec: Some(fit(Trigger::NoReplyFor, seconds(60))), request_id: String::new() };
        let made = world.workflows().create_workflow(request).await.unwrap().into_inner().workflow.unwrap();
        let spec = WorkflowSpec { trigger: Trigger::MessageReceived.into(), ..Default::default() };
        let change = UpdateWorkflowRequest { workflow_id: made.workflow_id.clone(), spec: Some(spec.clone()), ..Default::default() };
        let refused = world.workflows().update_workflow(change.clone()).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
        let paths = vec!["trigger".to_owned(), "after".to_owned()];
        let change = UpdateWorkflowRequest { update_mask: Some(prost_types::FieldMask { paths }), ..change };
        let changed = world.workflows().update_workflow(change).await.unwrap().into_inner().workflow.unwrap();
        assert_eq!((changed.trigger(), changed.after), (Trigger::MessageReceived, None));
    }
}
