//! Who has a conversation that is open again.

use std::time::Duration;

use kernel::Role;
use proto::routing::v1::*;

use crate::world::{NEW_YEAR, World, inbound, outbound};

impl World {
    async fn reopen_by(&self, policy: ReopenPolicy) {
        self.decide(UpdateSettingsRequest { reopen_policy: policy.into(), ..Default::default() }).await;
    }

    /// A conversation of a team that this agent has.
    async fn had_by(&self, name: &str, agent: &Agent, team: &Team) -> Conversation {
        let it = self.begin(name).await;
        let target = assign_conversation_request::Target::TeamId(team.team_id.clone());
        let it = self.order("root", &it, target).await.unwrap();
        let it = self.read(&it.conversation_id).await;
        self.assign("root", &it, agent).await.unwrap()
    }

    async fn reopen(&self, by: &str, id: &str) -> Conversation {
        let request = ReopenConversationRequest { conversation_id: id.to_owned(), etag: String::new() };
        let answer = self.conversations(by, Role::Agent).reopen_conversation(request).await;
        answer.unwrap().into_inner().conversation.unwrap()
    }
}

fn holder(it: &Conversation) -> Option<&str> {
    it.assignee.as_ref().map(|person| person.username.as_str())
}

testkit::on_both_databases! {
    // R6
    async fn kept_if_available_it_waits_in_its_teams_queue_when_its_agent_is_not_there(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let team = world.team("bags", &[&ana, &ben]).await;
        world.reopen_by(ReopenPolicy::KeepIfAvailable).await;
        let it = world.had_by("c-1", &ana, &team).await;
        world.resolve(&it.conversation_id).await;
        let reopened = world.record(inbound("c-1", "2")).await.conversation.unwrap();
        assert_eq!((holder(&reopened), reopened.team_id.as_str()), (None, team.team_id.as_str()));
        assert_eq!(world.agent("ana").await.open_conversation_count, 0);
        let why = &world.decisions(&it.conversation_id).await;
        let why = why.iter().find(|it| it.summary.contains("KEEP_IF_AVAILABLE")).unwrap();
        assert!(why.summary.contains("while ana was not online"), "{}", why.summary);
        world.pin("ben", &ben, Availability::Online).await;
        assert_eq!(holder(&world.assigned(&it.conversation_id).await), Some("ben"));

        world.resolve(&it.conversation_id).await;
        let kept = world.record(inbound("c-1", "3")).await.conversation.unwrap();
        assert_eq!(holder(&kept), Some("ben"), "who is there keeps it");
        assert_eq!(world.agent("ben").await.open_conversation_count, 1);
    }

    // R6
    async fn requeued_it_is_anybodys_turn_though_its_agent_is_there(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.online("ana").await, world.agent("ben").await);
        let team = world.team("bags", &[&ben]).await;
        world.reopen_by(ReopenPolicy::Requeue).await;
        let it = world.had_by("c-1", &ana, &team).await;
        world.resolve(&it.conversation_id).await;
        world.record(outbound("c-1", "2")).await;
        assert_eq!(world.read(&it.conversation_id).await.status(), ConversationStatus::Resolved);
        let reopened = world.record(inbound("c-1", "3")).await.conversation.unwrap();
        assert_eq!((holder(&reopened), reopened.status()), (None, ConversationStatus::Open));
        assert_eq!(world.view("ana", InboxView::Mine).await.len(), 0);
        let request = GetHistoryRequest { conversation_id: it.conversation_id.clone(), order: HistoryOrder::NewestFirst.into(), page_size: 2, ..Default::default() };
        let mut history = history_service_client::HistoryServiceClient::new(world.client("ana", Role::Agent));
        let events = history.get_history(request).await.unwrap().into_inner().events;
        let kinds: Vec<HistoryEventType> = events.iter().map(HistoryEvent::r#type).collect();
        assert_eq!(kinds, [HistoryEventType::Queued, HistoryEventType::Reopened]);
        assert_eq!(events[0].previous_assignee.as_ref().unwrap().username, "ana");
        world.pin("ben", &ben, Availability::Online).await;
        assert_eq!(holder(&world.assigned(&it.conversation_id).await), Some("ben"));
    }

    // R6
    async fn who_reopens_their_own_keeps_it_and_one_of_no_team_stays_with_its_agent(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let team = world.team("bags", &[&ana]).await;
        world.reopen_by(ReopenPolicy::Requeue).await;
        let it = world.had_by("c-1", &ana, &team).await;
        world.resolve(&it.conversation_id).await;
        assert_eq!(holder(&world.reopen("ana", &it.conversation_id).await), Some("ana"));
        world.resolve(&it.conversation_id).await;
        assert_eq!(holder(&world.reopen("ben", &it.conversation_id).await), None);
        let teamless = world.begin("c-2").await;
        let teamless = world.assign("ana", &teamless, &ana).await.unwrap();
        world.resolve(&teamless.conversation_id).await;
        let reopened = world.record(inbound("c-2", "2")).await.conversation.unwrap();
        assert_eq!(holder(&reopened), Some("ana"), "there is no queue for it to wait in");
    }

    // R6
    async fn the_end_of_a_snooze_leaves_it_with_an_agent_who_is_there_and_else_with_the_team(engine) {
        let world = World::at_new_year(engine).await;
        let (ana, ben) = (world.online("ana").await, world.agent("ben").await);
        let team = world.team("bags", &[]).await;
        world.reopen_by(ReopenPolicy::Requeue).await;
        let (hers, his) = (world.had_by("c-1", &ana, &team).await, world.had_by("c-2", &ben, &team).await);
        for it in [&hers, &his] {
            let until = prost_types::Timestamp { seconds: NEW_YEAR.as_micros() / 1_000_000 + 60, nanos: 0 };
            let request = SnoozeConversationRequest {
                conversation_id: it.conversation_id.clone(),
                snooze_until_time: Some(until),
                etag: String::new(),
            };
            world.conversations("ana", Role::Agent).snooze_conversation(request).await.unwrap();
        }
        world.suite.hand().advance(Duration::from_secs(60));
        let back = world.back(&his.conversation_id).await;
        assert_eq!((holder(&back), back.team_id.as_str()), (None, team.team_id.as_str()));
        let back = world.back(&hers.conversation_id).await;
        assert_eq!(holder(&back), Some("ana"));
    }
}

impl World {
    /// The conversation, once it is open.
    async fn back(&self, id: &str) -> Conversation {
        for _ in 0..400 {
            let it = self.read(id).await;
            if it.status() == ConversationStatus::Open {
                return it;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it is not open again");
    }
}
