//! What workflows do.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::ingested_note::Author;
use proto::notifications::v1::NotificationType;
use proto::routing::v1::action::Action as Do;
use proto::routing::v1::*;
use tonic::Code;

use crate::workflow_triggers::add_tags;
use crate::world::{World, assign_team, inbound, refusal, spec};

fn to_agent(agent: &Agent) -> Do {
    Do::AssignAgent(AssignAgent { agent_id: agent.agent_id.clone() })
}

fn notify(agents: &[&Agent], team: Option<&Team>, reason: &str) -> Do {
    Do::Notify(NotifyPeople {
        agent_ids: agents.iter().map(|agent| agent.agent_id.clone()).collect(),
        team_id: team.map(|team| team.team_id.clone()).unwrap_or_default(),
        reason: reason.into(),
    })
}

fn holder(it: &Conversation) -> &str {
    it.assignee.as_ref().map_or("", |person| &person.username)
}

testkit::on_both_databases! {
    // R9
    async fn an_agent_whom_a_workflow_names_gets_the_conversation_and_is_told(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        let team = world.team("flights", &[&ben]).await;
        world.on_trigger(Trigger::ConversationCreated, "", vec![assign_team(&team), to_agent(&ana)]).await;
        let it = world.begin("c-1").await;
        assert_eq!((holder(&it), it.team_id.as_str()), ("ana", team.team_id.as_str()), "an agent comes before a team");
        assert_eq!(world.read(&it.conversation_id).await, it);
        assert_eq!(world.agent("ana").await.open_conversation_count, 1);
        let told = world.told(1).await;
        assert_eq!((told[0].r#type(), told[0].recipient_subjects.as_slice()), (NotificationType::Assigned, ["ana".to_owned()].as_slice()));
        let decisions = world.decisions(&it.conversation_id).await;
        assert_eq!(decisions.len(), 1);
        assert_eq!(decisions[0].chosen.as_ref().unwrap().username, "ana");
        assert_eq!(decisions[0].summary, "Workflow \"ConversationCreated\" gave it to ana.");
        let waiting = world.teams().get_team(GetTeamRequest { team_id: team.team_id }).await.unwrap().into_inner();
        assert_eq!(waiting.team.unwrap().queued_conversation_count, 0);
    }

    // R9, R3
    async fn an_agent_who_cannot_take_it_does_not_get_it_and_the_team_of_the_workflow_does(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.online("ben").await);
        let team = world.team("flights", &[&ben]).await;
        world.on_trigger(Trigger::ConversationCreated, "", vec![assign_team(&team), to_agent(&ana)]).await;
        let offline = world.begin("c-1").await;
        assert_eq!(holder(&world.assigned(&offline.conversation_id).await), "ben");
        let trace = &world.decisions(&offline.conversation_id).await[0].workflows[0];
        assert_eq!((trace.verdict(), trace.detail.as_str()), (WorkflowVerdict::Matched, "the agent was offline"));

        world.pin("ana", &ana, Availability::Online).await;
        world.decide(UpdateSettingsRequest { default_capacity_units: Some(1), ..Default::default() }).await;
        assert_eq!(holder(&world.begin("c-2").await), "ana");
        let full = world.begin("c-3").await;
        assert_eq!(holder(&full), "", "nobody is given more than their capacity by itself");
        assert_eq!(world.agent("ana").await.open_conversation_count, 1);
        let trace = &world.decided(&full.conversation_id, 1).await[0].workflows[0];
        assert!(trace.detail.contains("capacity"), "{}", trace.detail);
    }

    // R9
    async fn a_later_workflow_takes_a_conversation_from_who_has_it(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        world.on_trigger(Trigger::MessageReceived, "message.text.contains('boss')", vec![to_agent(&ben)]).await;
        let it = world.begin("c-1").await;
        world.assign("ana", &it, &ana).await.unwrap();
        let asked = RecordMessageRequest { text: "get me your boss".into(), ..inbound("c-1", "2") };
        let moved = world.record(asked).await.conversation.unwrap();
        assert_eq!(holder(&moved), "ben");
        assert_eq!((world.agent("ana").await.open_conversation_count, world.agent("ben").await.open_conversation_count), (0, 1));
        let again = RecordMessageRequest { text: "boss!".into(), ..inbound("c-1", "3") };
        world.record(again).await;
        assert_eq!(world.decisions(&it.conversation_id).await.len(), 4, "and who has it keeps it");
        let mut history = history_service_client::HistoryServiceClient::new(world.client("ana", Role::Agent));
        let request = GetHistoryRequest { conversation_id: it.conversation_id, ..Default::default() };
        let events = history.get_history(request).await.unwrap().into_inner().events;
        let last = events.last().unwrap();
        let previous = last.previous_assignee.as_ref().map(|person| person.username.as_str());
        assert_eq!((last.r#type(), previous, &last.actor), (HistoryEventType::Assigned, Some("ana"), &None));
    }

    // R9, D1
    async fn people_and_teams_are_told_what_the_workflow_says_each_once(engine) {
        let world = World::on(engine).await;
        let (ana, ben, cem) = (world.agent("ana").await, world.agent("ben").await, world.agent("cem").await);
        let team = world.team("leads", &[&ana, &ben]).await;
        world.on_trigger(Trigger::ConversationCreated, "", vec![notify(&[&ana, &cem], Some(&team), "A big customer wrote.")]).await;
        let it = world.begin("c-1").await;
        let told = world.told(1).await;
        let [event] = told.as_slice() else { panic!("one event") };
        assert_eq!(event.recipient_subjects, ["ana", "ben", "cem"]);
        assert_eq!((event.r#type(), event.conversation_id.as_str()), (NotificationType::Workflow, it.conversation_id.as_str()));
        assert_eq!(event.reason, "Workflow \"ConversationCreated\": A big customer wrote.");
        let delete = DeleteTeamRequest { team_id: team.team_id.clone(), etag: String::new() };
        let refused = world.teams().delete_team(delete).await.unwrap_err();
        assert_eq!(refusal(&refused).1, Some(ErrorReason::InUse), "a team that a workflow tells stays");
    }

    // R9, R15
    async fn a_team_without_members_leaves_nobody_to_be_told_which_the_explanation_says(engine) {
        let world = World::on(engine).await;
        let (ana, team) = (world.agent("ana").await, world.team("leads", &[]).await);
        world.on_trigger(Trigger::ConversationCreated, "", vec![notify(&[], Some(&team), "A big customer wrote.")]).await;
        world.on_trigger(Trigger::ConversationCreated, "", vec![notify(&[&ana], Some(&team), "Somebody wrote.")]).await;
        let it = world.begin("c-1").await;
        let told = world.told(1).await;
        assert_eq!(told.iter().map(|event| &event.recipient_subjects[..]).collect::<Vec<_>>(), [["ana"]]);
        let decisions = world.decisions(&it.conversation_id).await;
        let details: Vec<&str> = decisions[0].workflows.iter().map(|trace| trace.detail.as_str()).collect();
        assert_eq!(details, ["a notice reached nobody, as its team had no members", ""]);
        // The same where a decision is made by what the workflow does besides.
        let desk = world.team("desk", &[&ana]).await;
        let both = vec![notify(&[], Some(&team), "Look."), notify(&[], Some(&team), "Again."), assign_team(&desk)];
        world.on_trigger(Trigger::ConversationTagged, "", both).await;
        world.tag_with(&it.conversation_id, &["vip"]).await;
        let queued = world.decided(&it.conversation_id, 2).await;
        let queued = queued.iter().find(|decision| decision.team_id == desk.team_id).unwrap();
        assert_eq!(queued.workflows[0].detail, "a notice reached nobody, as its team had no members");
    }

    // R9, N3
    async fn a_note_of_a_workflow_goes_to_notes_and_is_read_nowhere_here(engine) {
        let world = World::on(engine).await;
        let note = Do::AddNote(AddNote { text: "Check the **contract**".into() });
        let workflow = world.on_trigger(Trigger::ConversationCreated, "", vec![note, add_tags(&["noted"])]).await;
        let it = world.begin("c-1").await;
        assert_eq!(it.tags, ["noted"]);
        let written = world.notes.written(1).await;
        let [note] = written.as_slice() else { panic!("one note") };
        assert_eq!((note.body.as_str(), note.conversation_id.as_str()), ("Check the **contract**", it.conversation_id.as_str()));
        assert_eq!(note.contact_id, it.contact_id);
        let Some(Author::Workflow(author)) = &note.author else { panic!("written by a workflow") };
        assert_eq!((author.name.as_str(), author.workflow_id.as_str()), ("ConversationCreated", workflow.workflow_id.as_str()));
        assert!(note.handoff.is_none());
    }

    // R9
    async fn tags_are_taken_off_and_stop_ends_the_run_of_all_triggers(engine) {
        let world = World::on(engine).await;
        let off = Do::RemoveTags(RemoveTags { tags: vec!["raw".into(), "absent".into()] });
        world.on_trigger(Trigger::MessageReceived, "", vec![off, Do::Stop(())]).await;
        world.on_trigger(Trigger::ConversationCreated, "", vec![add_tags(&["late"])]).await;
        let message = RecordMessageRequest { tags: vec!["raw".into(), "own".into()], ..inbound("c-1", "1") };
        assert_eq!(world.record(message).await.conversation.unwrap().tags, ["own"]);
    }

    // R9
    async fn every_action_reads_back_as_it_was_said_and_nobody_who_is_absent_is_named(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let team = world.team("leads", &[&ana]).await;
        let actions = vec![
            to_agent(&ana),
            notify(&[&ana], Some(&team), "Look."),
            Do::AddNote(AddNote { text: "text".into() }),
            Do::RemoveTags(RemoveTags { tags: vec!["a".into()] }),
        ];
        for trigger in [Trigger::ConversationReopened, Trigger::MessageReceived, Trigger::ConversationTagged] {
            let made = world.on_trigger(trigger, "", actions.clone()).await;
            let request = GetWorkflowRequest { workflow_id: made.workflow_id.clone() };
            let read = world.workflows().get_workflow(request).await.unwrap().into_inner().workflow.unwrap();
            assert_eq!((read.trigger(), &read), (trigger, &made));
            let said: Vec<Do> = read.actions.into_iter().filter_map(|it| it.action).collect();
            assert_eq!(said, actions);
        }
        let absent = Agent { agent_id: world.request_id(), ..Default::default() };
        for (action, code) in [
            (to_agent(&absent), Code::NotFound),
            (notify(&[&ana, &absent], None, "x"), Code::NotFound),
            (notify(&[], None, "x"), Code::InvalidArgument),
            (Do::AddNote(AddNote { text: String::new() }), Code::InvalidArgument),
        ] {
            let request = CreateWorkflowRequest { spec: Some(spec("", vec![action])), request_id: String::new() };
            assert_eq!(world.workflows().create_workflow(request).await.unwrap_err().code(), code);
        }
    }

    // R9, P5
    async fn a_message_that_is_delivered_twice_runs_workflows_once(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        world.on_trigger(Trigger::MessageReceived, "", vec![notify(&[&ana], None, "A message came.")]).await;
        for _ in 0..3 {
            world.record(inbound("c-1", "1")).await;
            world.record(inbound("c-1", "2")).await;
        }
        world.record(inbound("c-1", "3")).await;
        assert_eq!(world.told(3).await.len(), 3);
    }

    // C9
    async fn no_workflow_runs_for_what_a_blocked_contact_writes(engine) {
        let world = World::on(engine).await;
        world.on_trigger(Trigger::MessageReceived, "", vec![add_tags(&["seen"])]).await;
        world.on_trigger(Trigger::ConversationReopened, "", vec![add_tags(&["open"])]).await;
        world.contacts.block("customer-c-1", true);
        assert!(world.begin("c-1").await.tags.is_empty());
        assert!(world.record(inbound("c-1", "2")).await.conversation.unwrap().tags.is_empty());
    }
}
