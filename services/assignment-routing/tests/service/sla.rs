//! Targets: who is warned and when, what was missed, and how conversations stand.

mod around;

use std::time::Duration;

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notifications::v1::NotificationType;
use proto::routing::v1::sla_service_client::SlaServiceClient;
use proto::routing::v1::*;
use testkit::Client;
use tonic::{Code, Status};

use crate::world::*;

const MINUTE: u64 = 60;

fn span(seconds: u64) -> Option<prost_types::Duration> {
    Duration::from_secs(seconds).try_into().ok()
}

/// Ten minutes for the first answer, five for each other, an hour for all of it.
fn gold() -> SlaPolicySpec {
    SlaPolicySpec {
        name: "gold".into(),
        first_response: span(10 * MINUTE),
        next_response: span(5 * MINUTE),
        resolution: span(60 * MINUTE),
        ..Default::default()
    }
}

/// A target for the first answer and no other.
fn first(seconds: u64) -> SlaPolicySpec {
    SlaPolicySpec { name: "first".into(), first_response: span(seconds), ..Default::default() }
}

impl World {
    pub(crate) fn sla(&self, subject: &str, role: Role) -> SlaServiceClient<Client> {
        SlaServiceClient::new(self.client(subject, role))
    }

    async fn try_policy(&self, spec: SlaPolicySpec) -> Result<SlaPolicy, Status> {
        let request = CreateSlaPolicyRequest { spec: Some(spec), request_id: String::new() };
        Ok(self.sla("root", Role::Admin).create_sla_policy(request).await?.into_inner().sla_policy.unwrap())
    }

    async fn policy(&self, spec: SlaPolicySpec) -> SlaPolicy {
        self.try_policy(spec).await.unwrap()
    }

    async fn standing(&self, id: &str) -> ConversationSla {
        let request = GetConversationSlaRequest { conversation_id: id.to_owned() };
        let answer = self.sla("ana", Role::Agent).get_conversation_sla(request).await;
        answer.unwrap().into_inner().conversation_sla.unwrap()
    }

    async fn clock(&self, id: &str, metric: SlaMetric) -> SlaClock {
        let standing = self.standing(id).await;
        standing.clocks.into_iter().find(|clock| clock.metric() == metric).unwrap()
    }

    async fn state(&self, id: &str, metric: SlaMetric) -> SlaState {
        self.clock(id, metric).await.state()
    }

    async fn breaches(&self, request: ListSlaBreachesRequest) -> Vec<SlaBreach> {
        let answer = self.sla("ana", Role::Agent).list_sla_breaches(request).await;
        answer.unwrap().into_inner().sla_breaches
    }

    /// The targets of a conversation that were missed, once there are so many.
    async fn missed(&self, count: usize) -> Vec<SlaBreach> {
        for _ in 0..800 {
            let breaches = self.breaches(ListSlaBreachesRequest::default()).await;
            if breaches.len() >= count {
                return breaches;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("there are not {count} missed targets");
    }

    /// Waits until so many of these have not ended.
    async fn still_missed(&self, request: &ListSlaBreachesRequest, count: usize) {
        let open = ListSlaBreachesRequest { open_only: true, ..request.clone() };
        for _ in 0..800 {
            if self.breaches(open.clone()).await.len() == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not {count} missed targets are left");
    }

    /// What happened to a conversation, of these types.
    async fn of_targets(&self, id: &str, of: &[HistoryEventType]) -> Vec<HistoryEvent> {
        let request = GetHistoryRequest { conversation_id: id.to_owned(), ..Default::default() };
        let mut client = history_service_client::HistoryServiceClient::new(self.client("ana", Role::Agent));
        let events = client.get_history(request).await.unwrap().into_inner().events;
        events.into_iter().filter(|event| of.contains(&event.r#type())).collect()
    }

    /// What people were told of targets: type and recipients.
    async fn told_of_targets(&self, count: usize) -> Vec<(NotificationType, Vec<String>, String)> {
        let of = [NotificationType::SlaWarning, NotificationType::SlaBreach];
        for _ in 0..800 {
            let told = self.told(0).await.into_iter().filter(|it| of.contains(&it.r#type()));
            let told: Vec<_> =
                told.map(|it| (it.r#type(), it.recipient_subjects.clone(), it.reason.clone())).collect();
            if told.len() >= count {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("people were not told of {count} targets");
    }
}

fn seconds(time: &Option<prost_types::Timestamp>) -> i64 {
    time.as_ref().unwrap().seconds - NEW_YEAR.as_micros() / 1_000_000
}

testkit::on_both_databases! {
    // R17
    async fn who_has_a_conversation_is_warned_and_of_a_missed_target_its_supervisors_hear_too(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        let sue = world.agents("sue", Role::Supervisor).get_my_agent(GetMyAgentRequest {}).await.unwrap();
        let team = world.team("flights", &[&ana, &sue.into_inner().agent.unwrap()]).await;
        world.route("true", &team).await;
        let policy = world.policy(gold()).await;
        let id = world.begin("c-1").await.conversation_id;
        world.assigned(&id).await;
        let standing = world.standing(&id).await;
        assert_eq!((standing.sla_policy_id.as_str(), standing.sla_policy_name.as_str()), (policy.sla_policy_id.as_str(), "gold"));
        let clock = world.clock(&id, SlaMetric::FirstResponse).await;
        assert_eq!((seconds(&clock.warn_time), seconds(&clock.due_time)), (480, 600));
        assert_eq!((clock.state(), clock.target), (SlaState::Pending, span(600)));
        world.pass(8 * MINUTE);
        let told = world.told_of_targets(1).await;
        assert_eq!((told[0].0, &told[0].1), (NotificationType::SlaWarning, &vec!["ana".to_owned()]));
        assert_eq!(told[0].2, "The first response to a conversation of policy \"gold\" is almost due.");
        assert_eq!(world.state(&id, SlaMetric::FirstResponse).await, SlaState::Warned);
        world.pass(2 * MINUTE);
        let told = world.told_of_targets(2).await;
        assert_eq!((told[1].0, &told[1].1), (NotificationType::SlaBreach, &vec!["ana".to_owned(), "sue".to_owned()]));
        let missed = world.missed(1).await;
        let [breach] = &missed[..] else { panic!("one target was missed, not {}", missed.len()) };
        assert_eq!((breach.conversation_id.as_str(), breach.metric()), (id.as_str(), SlaMetric::FirstResponse));
        assert_eq!((breach.team_id.as_str(), breach.sla_policy_name.as_str()), (team.team_id.as_str(), "gold"));
        assert_eq!((seconds(&breach.start_time), seconds(&breach.due_time), &breach.end_time), (0, 600, &None));
        assert_eq!(breach.assignee.as_ref().unwrap().username, "ana");
        let of = [HistoryEventType::SlaWarned, HistoryEventType::SlaBreached];
        let events = world.of_targets(&id, &of).await;
        assert_eq!(events.iter().map(HistoryEvent::r#type).collect::<Vec<_>>(), of);
        assert_eq!(events[1].event_id, breach.sla_breach_id);
        assert!(events.iter().all(|it| it.sla_metric() == SlaMetric::FirstResponse && it.actor.is_none()));
        assert_eq!(events[1].assignee.as_ref().unwrap().username, "ana");

        world.record(outbound("c-1", "2")).await;
        world.still_missed(&ListSlaBreachesRequest::default(), 0).await;
        let ended = world.missed(1).await;
        assert_eq!(seconds(&ended[0].end_time), 600);
        assert_eq!(world.state(&id, SlaMetric::FirstResponse).await, SlaState::Breached);
        // Of what comes next, the first is warned of anew and the other ends in time.
        world.record(inbound("c-1", "3")).await;
        world.pass(4 * MINUTE);
        let told = world.told_of_targets(3).await;
        assert_eq!(told[2].2, "The next response to a conversation of policy \"gold\" is almost due.");
        world.record(outbound("c-1", "4")).await;
        assert_eq!(world.state(&id, SlaMetric::NextResponse).await, SlaState::Met);
        world.resolve(&id).await;
        assert_eq!(world.state(&id, SlaMetric::Resolution).await, SlaState::Met);
        world.pass(24 * 60 * MINUTE);
        let other = world.record(RecordMessageRequest { tags: vec!["later".into()], ..inbound("c-2", "1") }).await;
        world.pass(10 * MINUTE);
        assert_eq!(world.missed(2).await[0].conversation_id, other.conversation.unwrap().conversation_id, "and nothing of the first");
        assert_eq!(world.of_targets(&id, &of).await.len(), 3);
    }

    // R17
    async fn put_aside_its_resolution_waits_and_its_customer_does_not(engine) {
        let world = World::attentive(engine).await;
        world.policy(gold()).await;
        let id = world.begin("c-1").await.conversation_id;
        world.pass(5 * MINUTE);
        let request = SnoozeConversationRequest {
            conversation_id: id.clone(),
            snooze_until_time: Some(rpc::convert::proto_time(NEW_YEAR.plus(Duration::from_secs(100 * MINUTE)))),
            ..Default::default()
        };
        world.conversations("ana", Role::Agent).snooze_conversation(request).await.unwrap();
        let clock = world.clock(&id, SlaMetric::Resolution).await;
        assert_eq!((clock.state(), clock.remaining, clock.due_time), (SlaState::Paused, span(55 * MINUTE), None));
        world.pass(85 * MINUTE);
        let missed = world.missed(1).await;
        assert_eq!(missed.iter().map(SlaBreach::metric).collect::<Vec<_>>(), [SlaMetric::FirstResponse]);
        world.pass(10 * MINUTE);
        world.until(&id, |it| it.status() == ConversationStatus::Open).await;
        let clock = world.clock(&id, SlaMetric::Resolution).await;
        assert_eq!((clock.state(), seconds(&clock.due_time)), (SlaState::Pending, 155 * 60));
    }

    // R17
    async fn hours_and_policies_decide_by_what_the_conversation_is_now(engine) {
        let world = World::attentive(engine).await;
        let team = world.team("day", &[]).await;
        let week = BusinessWeek {
            intervals: (1..=7).map(|weekday| WorkingHours { weekday, start_minute: 540, end_minute: 1020 }).collect(),
            ..Default::default()
        };
        let mut hours = business_hours_service_client::BusinessHoursServiceClient::new(world.client("root", Role::Admin));
        let request = SetBusinessHoursRequest { team_id: team.team_id.clone(), week: Some(week), etag: String::new() };
        hours.set_business_hours(request).await.unwrap();
        world.policy(SlaPolicySpec { position: 5, ..gold() }).await;
        let urgent = SlaPolicySpec {
            name: "urgent".into(),
            condition: "conversation.priority == 'URGENT' || 'vip' in conversation.tags".into(),
            business_hours_team_id: team.team_id.clone(),
            ..first(2 * MINUTE)
        };
        let urgent = world.policy(urgent).await;
        let it = world.begin("c-1").await;
        let id = it.conversation_id.clone();
        assert_eq!(seconds(&world.clock(&id, SlaMetric::FirstResponse).await.due_time), 600, "of no team: around the clock");
        let update = UpdateConversationRequest { conversation_id: id.clone(), priority: Priority::Urgent.into(), ..Default::default() };
        world.conversations("ana", Role::Agent).update_conversation(update).await.unwrap();
        let standing = world.standing(&id).await;
        assert_eq!(standing.sla_policy_id, urgent.sla_policy_id);
        assert_eq!(seconds(&world.clock(&id, SlaMetric::FirstResponse).await.due_time), (9 * 60 + 2) * 60);
        assert_eq!(world.state(&id, SlaMetric::Resolution).await, SlaState::Cancelled);
        // Given to the team whose hours these are: the same by its own hours, under the other policy.
        let update = UpdateConversationRequest { conversation_id: id.clone(), priority: Priority::Normal.into(), ..Default::default() };
        let it = world.conversations("ana", Role::Agent).update_conversation(update).await.unwrap().into_inner();
        let to_team = assign_conversation_request::Target::TeamId(team.team_id.clone());
        world.agent("ana").await;
        world.order("ana", &it.conversation.unwrap(), to_team).await.unwrap();
        assert_eq!(seconds(&world.clock(&id, SlaMetric::FirstResponse).await.due_time), (9 * 60 + 10) * 60);
        let tag = BatchTagConversationsRequest {
            items: vec![BatchItem { conversation_id: id.clone(), ..Default::default() }],
            add_tags: vec!["vip".into()],
            ..Default::default()
        };
        let mut bulk = bulk_service_client::BulkServiceClient::new(world.client("ana", Role::Agent));
        bulk.batch_tag_conversations(tag).await.unwrap();
        assert_eq!(world.standing(&id).await.sla_policy_id, urgent.sla_policy_id);
        let used = DeleteTeamRequest { team_id: team.team_id.clone(), etag: String::new() };
        let refused = world.teams().delete_team(used).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, Some(ErrorReason::InUse)));
        assert_eq!(metadata(&refused, "used_by").as_deref(), Some("SLA policy"));
    }

    // R17
    async fn a_workflow_that_changes_a_conversation_changes_what_it_is_held_against(engine) {
        let world = World::attentive(engine).await;
        let low = SlaPolicySpec { condition: "conversation.priority == 'HIGH'".into(), ..first(2 * MINUTE) };
        world.policy(SlaPolicySpec { position: 1, ..gold() }).await;
        world.policy(low).await;
        let set_priority = |trigger: Trigger, condition: &str| WorkflowSpec {
            trigger: trigger.into(),
            ..spec(condition, vec![action::Action::SetPriority(SetPriority { priority: Priority::High.into() })])
        };
        for spec in [
            set_priority(Trigger::ConversationCreated, "message.text.contains('plane')"),
            set_priority(Trigger::MessageReceived, "message.text.contains('lawyer')"),
        ] {
            let request = CreateWorkflowRequest { spec: Some(spec), request_id: String::new() };
            world.workflows().create_workflow(request).await.unwrap();
        }
        let high = world.record(RecordMessageRequest { text: "my plane".into(), ..inbound("c-1", "1") }).await;
        let high = high.conversation.unwrap().conversation_id;
        assert_eq!(world.standing(&high).await.sla_policy_name, "first");
        let id = world.begin("c-2").await.conversation_id;
        assert_eq!(world.standing(&id).await.sla_policy_name, "gold");
        world.record(RecordMessageRequest { text: "my lawyer".into(), ..inbound("c-2", "2") }).await;
        assert_eq!(world.standing(&id).await.sla_policy_name, "first");
        assert_eq!(seconds(&world.clock(&id, SlaMetric::FirstResponse).await.due_time), 120);
    }

    // R17
    async fn a_target_missed_while_nothing_ran_is_told_once_afterwards(engine) {
        let mut world = World::attentive(engine).await;
        world.policy(first(10 * MINUTE)).await;
        let id = world.begin("c-1").await.conversation_id;
        world.pass(60 * MINUTE);
        world.suite.restart().await;
        let missed = world.missed(1).await;
        assert_eq!(seconds(&missed[0].due_time), 600);
        world.suite.restart().await;
        let other = world.begin("c-2").await.conversation_id;
        world.pass(10 * MINUTE);
        let missed = world.missed(2).await;
        assert_eq!(missed.iter().map(|it| it.conversation_id.as_str()).collect::<Vec<_>>(), [other.as_str(), id.as_str()]);
        let events = world.of_targets(&id, &[HistoryEventType::SlaWarned, HistoryEventType::SlaBreached]).await;
        assert_eq!(events.len(), 1, "too late for a warning");
    }

    // R17, P7
    async fn missed_targets_are_listed_page_by_page_by_team_and_by_whether_somebody_waits(engine) {
        let world = World::attentive(engine).await;
        let (day, night) = (world.team("day", &[]).await, world.team("night", &[]).await);
        world.route("conversation.source == 'day'", &day).await;
        world.route("conversation.source == 'night'", &night).await;
        world.policy(SlaPolicySpec { warn_percent: 100, ..first(MINUTE) }).await;
        for number in 0..6 {
            let source = if number % 2 == 0 { "day" } else { "night" };
            world.record(RecordMessageRequest { source: source.into(), ..inbound(&format!("c-{number}"), "1") }).await;
            world.pass(1);
        }
        world.pass(MINUTE);
        let all = world.missed(6).await;
        assert_eq!(all.iter().map(|it| seconds(&it.due_time)).collect::<Vec<_>>(), [65, 64, 63, 62, 61, 60]);
        let mut paged = Vec::new();
        let mut request = ListSlaBreachesRequest { page_size: 4, ..Default::default() };
        loop {
            let answer = world.sla("ana", Role::Agent).list_sla_breaches(request.clone()).await.unwrap().into_inner();
            paged.extend(answer.sla_breaches);
            request.page_token = answer.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
            let other = ListSlaBreachesRequest { open_only: true, ..request.clone() };
            let refused = world.sla("ana", Role::Agent).list_sla_breaches(other).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidPageToken)));
        }
        assert_eq!(paged, all);
        let of_day = ListSlaBreachesRequest { team_id: day.team_id.clone(), ..Default::default() };
        assert_eq!(world.breaches(of_day.clone()).await.len(), 3);
        world.record(outbound("c-0", "2")).await;
        world.still_missed(&of_day, 2).await;
        let ids: Vec<String> = [&all[5], &all[4], &all[5]].map(|it| it.conversation_id.clone()).to_vec();
        let request = BatchGetConversationSlaRequest { conversation_ids: ids.clone() };
        let answer = world.sla("ana", Role::Agent).batch_get_conversation_sla(request).await.unwrap().into_inner();
        let standing: Vec<&str> = answer.conversation_slas.iter().map(|it| it.conversation_id.as_str()).collect();
        assert_eq!(standing, [ids[0].as_str(), ids[1].as_str()]);
        assert!(answer.conversation_slas.iter().all(|it| it.clocks[0].state() == SlaState::Breached));
    }

    // R17
    async fn an_organization_without_targets_sets_no_timer_and_an_erased_contact_leaves_no_missed_one(engine) {
        let world = World::attentive(engine).await;
        let before = world.begin("c-1").await;
        world.record(outbound("c-1", "2")).await;
        assert_eq!(crate::erasure::rows(&world, "timers").await, 0);
        assert_eq!(world.standing(&before.conversation_id).await.clocks, []);
        world.policy(first(MINUTE)).await;
        let it = world.begin("c-2").await;
        assert_eq!(crate::erasure::rows(&world, "timers").await, 1);
        world.pass(MINUTE);
        world.missed(1).await;
        let removed = crate::erasure::erase(&world, &world.request_id(), &[&it.contact_id]).await;
        assert!(removed.contains(&("sla_breaches".to_owned(), 1)), "{removed:?}");
        assert_eq!(world.breaches(ListSlaBreachesRequest::default()).await, []);
        assert_eq!(crate::erasure::rows(&world, "timers").await, 0);
    }
}

/// On PostgreSQL, where there can be several.
// R17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_tell_of_each_missed_target_once() {
    let often = |config: &mut runtime::Config| {
        config.routing = serde_json::from_value(serde_json::json!({ "sweep_ms": 20 })).unwrap();
    };
    let world = World::configured(testkit::Engine::Postgres, often).await;
    let beside = world.beside(often).await;
    world.policy(SlaPolicySpec { warn_percent: 50, ..first(1) }).await;
    let mut ids = Vec::new();
    for number in 0..40 {
        let by = if number % 2 == 0 { &world } else { &beside };
        ids.push(by.begin(&format!("c-{number}")).await.conversation_id);
    }
    assert_eq!(world.missed(40).await.len(), 40);
    let of = [HistoryEventType::SlaWarned, HistoryEventType::SlaBreached];
    for id in ids {
        let events = world.of_targets(&id, &of).await;
        let missed = events.iter().filter(|it| it.r#type() == HistoryEventType::SlaBreached).count();
        assert!(missed == 1 && events.len() <= 2, "{} events", events.len());
    }
}
