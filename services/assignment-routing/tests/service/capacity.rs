//! How much work people get at once, and what wakes a queue when they may get more.

use std::time::Duration;

use kernel::Role;
use proto::routing::v1::*;

use crate::world::{World, inbound};

impl World {
    pub(crate) async fn change_agent(&self, agent: &Agent, profile: AgentProfile) -> Agent {
        let request = UpdateAgentRequest {
            agent_id: agent.agent_id.clone(),
            profile: Some(profile),
            ..Default::default()
        };
        let changed = self.agents("root", Role::Admin).update_agent(request).await;
        changed.unwrap().into_inner().agent.unwrap()
    }

    async fn capacity(&self, agent: &Agent, units: i32) -> Agent {
        self.change_agent(agent, AgentProfile { capacity_units: units, ..Default::default() }).await
    }

    /// Every conversation costs one unit, except those of some channels.
    async fn costs(&self, channel: &str, units: i32) {
        let channel_units = vec![ChannelUnits { channel: channel.into(), units }];
        self.settle(UpdateSettingsRequest { channel_units, ..Default::default() }).await;
    }

    async fn begin_on(&self, channel: &str, name: &str) -> Conversation {
        let message = RecordMessageRequest { channel: channel.into(), ..inbound(name, "1") };
        self.record(message).await.conversation.unwrap()
    }

    async fn is_waiting(&self, it: &Conversation) {
        let decided = self.decided(&it.conversation_id, 1).await;
        assert_eq!(decided[0].outcome(), DecisionOutcome::Queued, "{}", decided[0].summary);
    }
}

testkit::on_both_databases! {
    // R3, R11
    async fn nobody_is_given_more_than_the_capacity_and_what_is_resolved_makes_room(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        let team = world.team("airline", &[&ana, &ben]).await;
        world.route("", &team).await;
        world.settle(UpdateSettingsRequest { default_capacity_units: Some(1), ..Default::default() }).await;
        let (one, two) = (world.begin("c-1").await, world.begin("c-2").await);
        let (one, _) = (world.assigned(&one.conversation_id).await, world.assigned(&two.conversation_id).await);
        let third = world.begin("c-3").await;
        world.is_waiting(&third).await;
        let decision = world.decisions(&third.conversation_id).await.remove(0);
        for candidate in &decision.candidates {
            assert_eq!(candidate.exclusion(), Exclusion::NoCapacity);
            assert_eq!((candidate.open_units, candidate.capacity_units), (1, 1));
        }
        assert_eq!(
            decision.summary,
            "None of 2 agents could take it (2 without room for it): it waits in the queue; workflow \"route\" chose the team."
        );
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert!(world.read(&third.conversation_id).await.assignee.is_none(), "no sweep gives more");
        world.resolve(&one.conversation_id).await;
        assert_eq!(world.assigned(&third.conversation_id).await.assignee, one.assignee);
    }

    // R3
    async fn a_channel_costs_what_the_organization_says_and_what_is_smaller_passes_what_is_too_much(engine) {
        let world = World::on(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("airline", &[&ana]).await;
        world.route("", &team).await;
        world.costs("call", 2).await;
        world.capacity(&ana, 3).await;
        let call = world.begin_on("call", "c-1").await;
        world.assigned(&call.conversation_id).await;
        let second = world.begin_on("call", "c-2").await;
        world.is_waiting(&second).await;
        assert_eq!(world.decisions(&second.conversation_id).await[0].units, 2);
        let chat = world.begin_on("chat", "c-3").await;
        world.assigned(&chat.conversation_id).await;
        let has = world.agent("ana").await;
        assert_eq!((has.open_conversation_count, has.open_units, has.capacity_units), (2, 3, 3));
        // What it cost when it began is what it gives back.
        world.costs("call", 5).await;
        world.resolve(&call.conversation_id).await;
        world.assigned(&second.conversation_id).await;
        assert_eq!(world.agent("ana").await.open_units, 3);
        for it in [&second, &chat] {
            world.resolve(&it.conversation_id).await;
        }
        let has = world.agent("ana").await;
        assert_eq!((has.open_conversation_count, has.open_units), (0, 0));
    }

    // R3, R8
    async fn a_person_may_give_more_than_the_capacity_and_the_decision_says_so(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let ben = world.capacity(&world.agent("ben").await, 1).await;
        let (one, two) = (world.begin("c-1").await, world.begin("c-2").await);
        world.assign("ana", &one, &ben).await.unwrap();
        world.assign("ana", &two, &ben).await.unwrap();
        let decisions = [world.decisions(&one.conversation_id).await, world.decisions(&two.conversation_id).await];
        assert_eq!(decisions.each_ref().map(|all| all[0].over_capacity), [false, true]);
        assert_eq!(decisions[1][0].summary, "ana assigned it to ben, which is more than their capacity.");
        assert_eq!(world.agent("ben").await.open_units, 2);
        let two = world.read(&two.conversation_id).await;
        world.assign("ana", &two, &ana).await.unwrap();
        assert_eq!(world.agent("ben").await.open_units, 1);
    }

    // R3, R11
    async fn more_capacity_drains_the_queue(engine) {
        let world = World::on(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("airline", &[&ana]).await;
        world.route("", &team).await;
        world.settle(UpdateSettingsRequest { default_capacity_units: Some(1), ..Default::default() }).await;
        let mut waiting = Vec::new();
        for name in ["c-1", "c-2", "c-3"] {
            waiting.push(world.begin(name).await);
            world.decided(&waiting.last().unwrap().conversation_id, 1).await;
        }
        world.is_waiting(&waiting[1]).await;
        world.capacity(&ana, 2).await;
        world.assigned(&waiting[1].conversation_id).await;
        assert!(world.read(&waiting[2].conversation_id).await.assignee.is_none());
        world.capacity(&ana, 3).await;
        world.assigned(&waiting[2].conversation_id).await;
    }

    // R3, R6
    async fn what_is_opened_again_goes_to_who_had_it_whatever_the_capacity(engine) {
        let world = World::on(engine).await;
        let ana = world.capacity(&world.online("ana").await, 1).await;
        let team = world.team("airline", &[&ana]).await;
        world.route("", &team).await;
        let one = world.begin("c-1").await;
        world.assigned(&one.conversation_id).await;
        let two = world.begin("c-2").await;
        world.is_waiting(&two).await;
        world.resolve(&one.conversation_id).await;
        world.assigned(&two.conversation_id).await;
        let again = world.record(inbound("c-1", "2")).await.conversation.unwrap();
        assert_eq!(again.assignee.unwrap().username, "ana", "who had it has it again");
        assert_eq!(world.agent("ana").await.open_units, 2);
    }

    // R11
    async fn who_just_came_online_is_given_so_many_and_the_rest_after_the_time(engine) {
        let world = World::at_new_year(engine).await;
        let ana = world.agent("ana").await;
        let request = CreateTeamRequest {
            handle: "airline".into(),
            agent_ids: vec![ana.agent_id.clone()],
            ramp_up_limit: 2,
            ramp_up_seconds: 60,
            ..Default::default()
        };
        let team = world.teams().create_team(request).await.unwrap().into_inner().team.unwrap();
        assert_eq!((team.ramp_up_limit, team.ramp_up_seconds), (2, 60));
        world.route("", &team).await;
        let mut ids = Vec::new();
        for name in ["c-1", "c-2", "c-3", "c-4"] {
            let it = world.begin(name).await;
            world.is_waiting(&it).await;
            ids.push(it.conversation_id);
        }
        world.pin("ana", &ana, Availability::Online).await;
        world.assigned(&ids[1]).await;
        let five = world.begin("c-5").await;
        world.is_waiting(&five).await;
        let decision = world.decisions(&five.conversation_id).await.remove(0);
        assert_eq!(decision.candidates[0].exclusion(), Exclusion::RampingUp);
        assert_eq!(world.agent("ana").await.open_conversation_count, 2);
        // What is resolved meanwhile gives no more: it is the number given that counts.
        world.resolve(&ids[0]).await;
        world.suite.hand().advance(Duration::from_secs(59));
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert!(world.read(&ids[2]).await.assignee.is_none());
        world.suite.hand().advance(Duration::from_secs(1));
        for id in &ids[2..] {
            world.assigned(id).await;
        }
        let off = UpdateTeamRequest {
            team_id: team.team_id,
            update_mask: Some(prost_types::FieldMask { paths: vec!["ramp_up_limit".into()] }),
            ..Default::default()
        };
        let team = world.teams().update_team(off).await.unwrap().into_inner().team.unwrap();
        assert_eq!((team.ramp_up_limit, team.ramp_up_seconds), (0, 60));
    }
}
