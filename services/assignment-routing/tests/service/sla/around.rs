//! What happens to a conversation around its targets.

use super::*;

impl World {
    async fn make(&self, id: &str, priority: Priority) {
        let update = UpdateConversationRequest {
            conversation_id: id.to_owned(),
            priority: priority.into(),
            ..Default::default()
        };
        self.conversations("root", Role::Admin).update_conversation(update).await.unwrap();
    }
}

testkit::on_both_databases! {
    // R17
    async fn of_what_no_teams_supervisors_look_after_those_of_the_organization_hear(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        world.agents("sue", Role::Supervisor).get_my_agent(GetMyAgentRequest {}).await.unwrap();
        world.policy(first(10 * MINUTE)).await;
        world.begin("c-1").await;
        let it = world.begin("c-2").await;
        world.assign("ana", &it, &ana).await.unwrap();
        world.pass(10 * MINUTE);
        let told = world.told_of_targets(2).await;
        assert!(told.iter().all(|(about, to, _)| *about == NotificationType::SlaBreach && to.contains(&"sue".to_owned())), "{told:?}");
        assert_eq!(told.iter().filter(|(_, to, _)| to.contains(&"ana".to_owned())).count(), 1);
    }

    // R17
    async fn what_is_put_aside_when_its_target_begins_has_lost_none_of_it(engine) {
        let world = World::attentive(engine).await;
        let urgent = SlaPolicySpec {
            name: "urgent".into(),
            condition: "conversation.priority == 'URGENT'".into(),
            resolution: span(60 * MINUTE),
            ..Default::default()
        };
        world.policy(urgent).await;
        let id = world.begin("c-1").await.conversation_id;
        let until = NEW_YEAR.plus(Duration::from_secs(100 * MINUTE));
        let request = SnoozeConversationRequest {
            conversation_id: id.clone(),
            snooze_until_time: Some(rpc::convert::proto_time(until)),
            ..Default::default()
        };
        world.conversations("root", Role::Admin).snooze_conversation(request).await.unwrap();
        world.pass(90 * MINUTE);
        world.make(&id, Priority::Urgent).await;
        let clock = world.clock(&id, SlaMetric::Resolution).await;
        assert_eq!((clock.state(), clock.remaining), (SlaState::Paused, span(60 * MINUTE)));
        assert_eq!(world.breaches(ListSlaBreachesRequest::default()).await, []);
    }

    // R17
    async fn what_was_resolved_while_it_had_no_target_is_counted_anew_when_it_is_open_again(engine) {
        let world = World::attentive(engine).await;
        let urgent = SlaPolicySpec {
            name: "urgent".into(),
            condition: "conversation.priority == 'URGENT'".into(),
            resolution: span(MINUTE),
            ..Default::default()
        };
        world.policy(urgent).await;
        let id = world.begin("c-1").await.conversation_id;
        world.make(&id, Priority::Urgent).await;
        world.make(&id, Priority::Normal).await;
        assert_eq!(world.state(&id, SlaMetric::Resolution).await, SlaState::Cancelled);
        world.pass(10);
        world.resolve(&id).await;
        world.pass(600);
        world.record(inbound("c-1", "2")).await;
        world.make(&id, Priority::Urgent).await;
        let clock = world.clock(&id, SlaMetric::Resolution).await;
        assert_eq!((clock.state(), seconds(&clock.start_time), seconds(&clock.due_time)), (SlaState::Pending, 610, 670));
        assert_eq!(world.breaches(ListSlaBreachesRequest::default()).await, []);
    }
}
