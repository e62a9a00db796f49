//! When workflows run, and what their conditions may ask.

use std::net::SocketAddr;
use std::time::Duration;

use kernel::Role;
use proto::contacts::v1 as contacts;
use proto::routing::v1::action::Action as Do;
use proto::routing::v1::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{NEW_YEAR, World, assign_team, inbound, outbound, spec};

impl World {
    /// A workflow of this trigger.
    pub(crate) async fn on_trigger(&self, trigger: Trigger, condition: &str, actions: Vec<Do>) -> Workflow {
        let spec = WorkflowSpec {
            trigger: trigger.into(),
            name: format!("{trigger:?}"),
            ..spec(condition, actions)
        };
        let request = CreateWorkflowRequest { spec: Some(spec), request_id: String::new() };
        self.workflows().create_workflow(request).await.unwrap().into_inner().workflow.unwrap()
    }

    pub(crate) async fn tag_with(&self, id: &str, tags: &[&str]) -> Conversation {
        let request = UpdateConversationRequest {
            conversation_id: id.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..Default::default()
        };
        let updated = self.conversations("ana", Role::Agent).update_conversation(request).await;
        updated.unwrap().into_inner().conversation.unwrap()
    }

    async fn snoozed(&self, id: &str, seconds: u64) {
        let until = self.suite.clock().now().plus(Duration::from_secs(seconds));
        let request = SnoozeConversationRequest {
            conversation_id: id.to_owned(),
            snooze_until_time: Some(rpc::convert::proto_time(until)),
            etag: String::new(),
        };
        self.conversations("ana", Role::Agent).snooze_conversation(request).await.unwrap();
    }
}

pub(crate) fn add_tags(tags: &[&str]) -> Do {
    Do::AddTags(AddTags { tags: tags.iter().map(|tag| (*tag).to_owned()).collect() })
}

fn holder(it: &Conversation) -> &str {
    it.assignee.as_ref().map_or("", |person| &person.username)
}

/// The metrics that the process tells.
async fn page(address: SocketAddr) -> String {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

testkit::on_both_databases! {
    // R9
    async fn a_message_of_the_customer_runs_workflows_and_an_answer_does_not(engine) {
        let world = World::on(engine).await;
        world.on_trigger(Trigger::MessageReceived, "message.text.contains('refund')", vec![
            add_tags(&["refund"]),
            Do::SetPriority(SetPriority { priority: Priority::High.into() }),
        ]).await;
        world.on_trigger(Trigger::MessageReceived, "conversation.message_count > 1 && 'refund' in conversation.tags", vec![add_tags(&["again"])]).await;
        let first = world.begin("c-1").await;
        assert!(first.tags.is_empty());
        let answer = RecordMessageRequest { text: "a refund?".into(), ..outbound("c-1", "2") };
        assert!(world.record(answer).await.conversation.unwrap().tags.is_empty(), "what goes out is not looked at");
        let asked = RecordMessageRequest { text: "yes, a refund".into(), ..inbound("c-1", "3") };
        let it = world.record(asked).await.conversation.unwrap();
        assert_eq!((it.tags.as_slice(), it.priority()), (["again".to_owned(), "refund".to_owned()].as_slice(), Priority::High));
        assert_eq!(world.read(&it.conversation_id).await, it, "with the etag that it has");
        let unchanged: Vec<Decision> = world.decisions(&it.conversation_id).await;
        assert_eq!(unchanged[0].outcome(), DecisionOutcome::Unchanged);
        assert_eq!(unchanged[0].summary, "Workflows \"MessageReceived\", \"MessageReceived\" ran: who has it stayed as it was.");

        let begun = RecordMessageRequest { text: "refund!".into(), ..inbound("c-2", "1") };
        assert_eq!(world.record(begun).await.conversation.unwrap().tags, ["refund"], "a first message is one too");
    }

    // R9
    async fn a_message_that_no_workflow_fits_leaves_no_decision(engine) {
        let world = World::on(engine).await;
        world.on_trigger(Trigger::MessageReceived, "message.text == 'x'", vec![add_tags(&["x"])]).await;
        let it = world.begin("c-1").await;
        world.record(inbound("c-1", "2")).await;
        let decisions = world.decisions(&it.conversation_id).await;
        assert_eq!(decisions.iter().map(Decision::outcome).collect::<Vec<_>>(), [DecisionOutcome::Unrouted]);
    }

    // R9
    async fn a_conversation_that_opens_again_runs_workflows_however_it_did(engine) {
        let world = World::at_new_year(engine).await;
        let ana = world.agent("ana").await;
        let (first, other) = (world.team("first", &[&ana]).await, world.team("other", &[]).await);
        world.on_trigger(Trigger::ConversationCreated, "", vec![assign_team(&first)]).await;
        world.on_trigger(Trigger::ConversationReopened, "conversation.channel == 'chat'", vec![assign_team(&other), add_tags(&["back"])]).await;
        for (name, how) in [("by-message", 0), ("by-hand", 1), ("by-time", 2)] {
            let it = world.begin(name).await;
            let id = it.conversation_id.clone();
            world.assign("ana", &it, &ana).await.unwrap();
            let opened = match how {
                0 => {
                    world.resolve(&id).await;
                    world.record(inbound(name, "2")).await.conversation.unwrap()
                }
                1 => {
                    world.resolve(&id).await;
                    let request = ReopenConversationRequest { conversation_id: id.clone(), etag: String::new() };
                    let answer = world.conversations("ana", Role::Agent).reopen_conversation(request).await;
                    answer.unwrap().into_inner().conversation.unwrap()
                }
                _ => {
                    world.snoozed(&id, 60).await;
                    world.suite.hand().advance(Duration::from_secs(61));
                    let mut it = world.read(&id).await;
                    for _ in 0..400 {
                        if it.status() == ConversationStatus::Open {
                            break;
                        }
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        it = world.read(&id).await;
                    }
                    it
                }
            };
            assert_eq!((opened.team_id.as_str(), holder(&opened)), (other.team_id.as_str(), ""), "{name}");
            assert_eq!((opened.status(), opened.tags.as_slice()), (ConversationStatus::Open, ["back".to_owned()].as_slice()), "{name}");
        }
        assert_eq!(world.agent("ana").await.open_conversation_count, 0, "whoever had them has them no longer");
        let request = GetTeamRequest { team_id: other.team_id };
        let waiting = world.teams().get_team(request).await.unwrap().into_inner().team.unwrap();
        assert_eq!(waiting.queued_conversation_count, 3);
    }

    // R9
    async fn tags_that_people_add_run_workflows_and_tags_of_workflows_do_not(engine) {
        let world = World::on(engine).await;
        let (team, never) = (world.team("legal", &[]).await, world.team("never", &[]).await);
        world.on_trigger(Trigger::ConversationTagged, "'legal' in conversation.added_tags", vec![assign_team(&team), add_tags(&["seen"])]).await;
        world.on_trigger(Trigger::ConversationTagged, "'seen' in conversation.added_tags", vec![assign_team(&never)]).await;
        let it = world.begin("c-1").await;
        assert_eq!(world.tag_with(&it.conversation_id, &["vip"]).await.team_id, "");
        let tagged = world.tag_with(&it.conversation_id, &["vip", "legal"]).await;
        assert_eq!((tagged.team_id.as_str(), tagged.tags.len()), (team.team_id.as_str(), 3));
        let again = world.tag_with(&it.conversation_id, &["legal", "vip", "seen", "more"]).await;
        assert_eq!((again.team_id.as_str(), again.tags.len()), (team.team_id.as_str(), 4), "tags it has are not added");
        let decided = world.decided(&it.conversation_id, 2).await;
        assert!(decided.iter().any(|it| it.outcome() == DecisionOutcome::Queued && it.team_id == team.team_id));
    }

    // R9, R20
    async fn tags_that_are_added_to_many_at_once_run_workflows_on_those_that_did_not_have_them(engine) {
        let world = World::on(engine).await;
        let team = world.team("legal", &[]).await;
        world.on_trigger(Trigger::ConversationTagged, "'vip' in contact.tags", vec![assign_team(&team)]).await;
        let mut items = Vec::new();
        for index in 0..6 {
            let name = if index < 3 { format!("vip-{index}") } else { format!("c-{index}") };
            let message = RecordMessageRequest { contact_address: name.clone(), ..inbound(&name, "1") };
            let it = world.record(message).await.conversation.unwrap();
            items.push(BatchItem { conversation_id: it.conversation_id, etag: String::new() });
        }
        world.tag_with(&items[0].conversation_id, &["kept"]).await;
        let legal = vec!["kept".to_owned()];
        let request = BatchTagConversationsRequest { items, add_tags: legal, ..Default::default() };
        let client = world.client("ana", Role::Agent);
        let mut bulk = bulk_service_client::BulkServiceClient::new(client);
        let answer = bulk.batch_tag_conversations(request).await.unwrap().into_inner();
        assert!(answer.applied);
        let teams: Vec<bool> =
            answer.results.iter().map(|it| !it.conversation.as_ref().unwrap().team_id.is_empty()).collect();
        assert_eq!(teams, [true, true, true, false, false, false], "the first got its team when it got its tag");
    }

    // R9
    async fn a_conversation_that_is_the_teams_already_stays_with_who_has_it(engine) {
        let world = World::on(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("flights", &[&ana]).await;
        world.on_trigger(Trigger::MessageReceived, "", vec![assign_team(&team)]).await;
        let it = world.begin("c-1").await;
        let held = world.assigned(&it.conversation_id).await;
        let after = world.record(inbound("c-1", "2")).await.conversation.unwrap();
        assert_eq!(after.assignee, held.assignee);
        assert_eq!(world.told(1).await.len(), 1, "and is not given once more");
    }

    // R9
    async fn a_resolved_conversation_is_tagged_and_given_to_nobody(engine) {
        let world = World::on(engine).await;
        let team = world.team("legal", &[]).await;
        world.on_trigger(Trigger::ConversationTagged, "", vec![assign_team(&team), add_tags(&["seen"])]).await;
        let it = world.begin("c-1").await;
        world.resolve(&it.conversation_id).await;
        let tagged = world.tag_with(&it.conversation_id, &["late"]).await;
        assert_eq!((tagged.team_id.as_str(), tagged.tags.as_slice()), ("", ["late".to_owned(), "seen".to_owned()].as_slice()));
    }

    // R9
    async fn conditions_ask_for_the_contact_as_it_is_now_and_only_these_ask_contacts(engine) {
        let world = World::on(engine).await;
        let plan = |plan: &str| contacts::AttributeValue {
            key: "plan".into(),
            value: Some(contacts::attribute_value::Value::Choice(plan.into())),
        };
        world.on_trigger(Trigger::MessageReceived, "has(contact.attributes.plan) && contact.attributes.plan == 'pro'", vec![add_tags(&["pro"])]).await;
        let it = world.begin("c-1").await;
        world.contacts.change("customer-c-1", |contact| contact.attributes = vec![plan("basic")]);
        assert!(world.record(inbound("c-1", "2")).await.conversation.unwrap().tags.is_empty());
        world.contacts.change("customer-c-1", |contact| contact.attributes = vec![plan("pro")]);
        world.contacts.asked();
        assert_eq!(world.record(inbound("c-1", "3")).await.conversation.unwrap().tags, ["pro"]);
        assert_eq!(world.contacts.asked(), ["GetContact"]);
        let none = DeleteWorkflowRequest {
            workflow_id: world.workflows().list_workflows(ListWorkflowsRequest::default()).await.unwrap().into_inner().workflows[0].workflow_id.clone(),
            etag: String::new(),
        };
        world.workflows().delete_workflow(none).await.unwrap();
        world.record(inbound("c-1", "4")).await;
        assert!(world.contacts.asked().is_empty());
        assert_eq!(world.read(&it.conversation_id).await.message_count, 4);
    }

    // R9
    async fn a_workflow_that_fails_is_skipped_and_recorded_and_the_message_is_kept(engine) {
        let world = World::on(engine).await;
        world.on_trigger(Trigger::MessageReceived, "'vip' in contact.tags", vec![add_tags(&["vip"])]).await;
        world.on_trigger(Trigger::MessageReceived, "conversation.message_count > 1", vec![add_tags(&["more"])]).await;
        let vip = RecordMessageRequest { contact_address: "vip-1".into(), ..inbound("c-1", "1") };
        let it = world.record(vip).await.conversation.unwrap();
        world.tag_with(&it.conversation_id, &["none"]).await;
        world.contacts.go_down(true);
        let after = world.record(inbound("c-1", "2")).await.conversation.unwrap();
        assert_eq!(after.tags, ["more", "none"]);
        let newest = &world.decisions(&it.conversation_id).await[0];
        let verdicts: Vec<WorkflowVerdict> = newest.workflows.iter().map(WorkflowTrace::verdict).collect();
        assert_eq!(verdicts, [WorkflowVerdict::Failed, WorkflowVerdict::Matched]);
        assert!(newest.workflows[0].detail.contains("did not answer"), "{}", newest.workflows[0].detail);
        let counted = page(world.suite.metrics()).await;
        assert!(counted.lines().any(|line| line.starts_with("routing_workflow_failures_total")), "it is counted: {counted}");
    }

    // R9
    async fn a_snooze_ends_though_contacts_is_down_which_a_workflow_wants_to_ask(engine) {
        let world = World::at_new_year(engine).await;
        world.agent("ana").await;
        world.on_trigger(Trigger::ConversationReopened, "'vip' in contact.tags", vec![add_tags(&["vip"])]).await;
        let it = world.begin("c-1").await;
        world.snoozed(&it.conversation_id, 60).await;
        world.contacts.go_down(true);
        world.suite.hand().set(NEW_YEAR.plus(Duration::from_secs(120)));
        for _ in 0..400 {
            if world.read(&it.conversation_id).await.status() == ConversationStatus::Open {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let it = world.read(&it.conversation_id).await;
        assert_eq!((it.status(), it.tags.len()), (ConversationStatus::Open, 0));
    }
}
