//! Queues: by turns, and drained when somebody comes.

use std::collections::HashMap;
use std::time::Duration;

use kernel::Role;
use proto::notifications::v1::NotificationType;
use proto::routing::v1::assign_conversation_request::Target;
use proto::routing::v1::*;

use crate::world::{World, inbound};

testkit::on_both_databases! {
    // R9, R10
    async fn conversations_go_to_the_team_by_strict_turns_and_each_assignee_is_told(engine) {
        let world = World::on(engine).await;
        let agents = [world.online("ana").await, world.online("ben").await, world.online("cem").await];
        let team = world.team("airline", &agents.each_ref()).await;
        world.route("conversation.source == 'airline'", &team).await;
        let mut order = Vec::new();
        for number in 0..9 {
            let it = world.begin(&format!("c-{number}")).await;
            order.push(world.assigned(&it.conversation_id).await.assignee.unwrap().username);
        }
        for window in order.windows(3) {
            let mut names = window.to_vec();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), 3, "{order:?}");
        }
        let told = world.told(9).await;
        let mut by_person: HashMap<&str, usize> = HashMap::new();
        for event in &told {
            assert_eq!(event.r#type(), NotificationType::Assigned);
            *by_person.entry(event.recipient_subjects[0].as_str()).or_default() += 1;
        }
        assert_eq!(by_person, HashMap::from([("ana", 3), ("ben", 3), ("cem", 3)]));
        assert_eq!(world.agent("ana").await.open_conversation_count, 3);
    }

    // R11
    async fn what_nobody_can_take_waits_until_somebody_comes_online(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let team = world.team("airline", &[&ana, &ben]).await;
        world.pin("ben", &ben, Availability::Away).await;
        world.route("", &team).await;
        let it = world.begin("c-1").await;
        let waiting = world.decided(&it.conversation_id, 1).await;
        assert_eq!((waiting[0].outcome(), waiting[0].cause()), (DecisionOutcome::Queued, DecisionCause::Workflow));
        let request = GetTeamRequest { team_id: team.team_id.clone() };
        let queued = world.teams().get_team(request).await.unwrap().into_inner().team.unwrap();
        assert_eq!(queued.queued_conversation_count, 1);
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert_eq!(world.decisions(&it.conversation_id).await.len(), 1, "that it waits is said once");
        world.agents("ana", Role::Agent).send_heartbeat(SendHeartbeatRequest {}).await.unwrap();
        let it = world.assigned(&it.conversation_id).await;
        assert_eq!(it.assignee.unwrap().username, "ana");
        let decided = world.decisions(&it.conversation_id).await;
        assert_eq!((decided.len(), decided[0].outcome(), decided[0].cause()), (2, DecisionOutcome::Assigned, DecisionCause::Queue));
    }

    // R11
    async fn a_queue_is_drained_by_priority_then_by_age(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let team = world.team("airline", &[&ana, &ben]).await;
        world.route("", &team).await;
        let mut ids = Vec::new();
        for name in ["old", "young", "urgent"] {
            let it = world.begin(name).await;
            world.decided(&it.conversation_id, 1).await;
            ids.push(it.conversation_id);
        }
        let request = UpdateConversationRequest {
            conversation_id: ids[2].clone(),
            priority: Priority::Urgent.into(),
            ..Default::default()
        };
        world.conversations("ana", Role::Agent).update_conversation(request).await.unwrap();
        world.online("ana").await;
        let mut turns = Vec::new();
        for id in &ids {
            world.assigned(id).await;
            turns.push((world.decisions(id).await[0].decision_id.clone(), id.clone()));
        }
        // Decisions of one batch are made in order.
        turns.sort();
        let order: Vec<&String> = turns.iter().map(|(_, id)| id).collect();
        assert_eq!(order, [&ids[2], &ids[0], &ids[1]]);
    }

    // R11
    async fn a_new_member_who_is_there_drains_the_queue(engine) {
        let world = World::on(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("airline", &[]).await;
        world.route("", &team).await;
        let it = world.begin("c-1").await;
        world.decided(&it.conversation_id, 1).await;
        let add = AddTeamMembersRequest { team_id: team.team_id, agent_ids: vec![ana.agent_id] };
        world.teams().add_team_members(add).await.unwrap();
        assert_eq!(world.assigned(&it.conversation_id).await.assignee.unwrap().username, "ana");
    }

    // R8, R11
    async fn given_to_a_team_by_hand_it_joins_the_queue(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.online("ben").await);
        let team = world.team("billing", &[&ben]).await;
        let it = world.begin("c-1").await;
        let it = world.assign("ana", &it, &ana).await.unwrap();
        let queued = world.order("ana", &it, Target::TeamId(team.team_id.clone())).await.unwrap();
        assert_eq!((queued.assignee, queued.team_id), (None, team.team_id));
        assert_eq!(world.assigned(&it.conversation_id).await.assignee.unwrap().username, "ben");
        assert_eq!(world.agent("ana").await.open_conversation_count, 0);
        let decided = world.decisions(&it.conversation_id).await;
        let causes: Vec<DecisionCause> = decided.iter().map(|decision| decision.cause()).collect();
        assert_eq!(causes, [DecisionCause::Queue, DecisionCause::Manual, DecisionCause::Manual, DecisionCause::Workflow]);
    }

    // R6, R11
    async fn resolved_it_leaves_the_queue_and_reopened_it_joins_again(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let team = world.team("airline", &[&ana]).await;
        world.route("", &team).await;
        let it = world.begin("c-1").await;
        world.resolve(&it.conversation_id).await;
        world.online("ana").await;
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert!(world.read(&it.conversation_id).await.assignee.is_none());
        world.record(inbound("c-1", "2")).await;
        assert_eq!(world.assigned(&it.conversation_id).await.assignee.unwrap().username, "ana");
    }

    // R2, R11
    async fn nobody_gets_work_after_their_lease_is_over(engine) {
        let world = World::at_new_year(engine).await;
        let ana = world.agent("ana").await;
        world.agents("ana", Role::Agent).send_heartbeat(SendHeartbeatRequest {}).await.unwrap();
        let team = world.team("airline", &[&ana]).await;
        world.route("", &team).await;
        world.suite.hand().advance(Duration::from_secs(61));
        let it = world.begin("c-1").await;
        let decided = world.decided(&it.conversation_id, 1).await;
        assert_eq!(decided[0].outcome(), DecisionOutcome::Queued);
        assert!(matches!(decided[0].candidates[0].exclusion(), Exclusion::LeaseExpired | Exclusion::Offline));
    }
}
