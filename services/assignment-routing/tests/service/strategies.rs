//! How teams share work.

use std::time::Duration;

use proto::common::v1::ErrorReason;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, inbound, refusal, spec};

fn skill(name: &str, level: i32) -> Skill {
    Skill { name: name.into(), level }
}

fn requires(name: &str, min_level: i32) -> RequiredSkill {
    RequiredSkill { skill: name.into(), min_level }
}

fn shared(team: &Team, strategy: Strategy) -> AssignTeam {
    AssignTeam { team_id: team.team_id.clone(), strategy: strategy.into(), ..Default::default() }
}

impl World {
    async fn route_by(&self, condition: &str, assign: AssignTeam) -> Workflow {
        let spec = spec(condition, vec![action::Action::AssignTeam(assign)]);
        let request = CreateWorkflowRequest { spec: Some(spec), request_id: String::new() };
        self.workflows().create_workflow(request).await.unwrap().into_inner().workflow.unwrap()
    }

    async fn skilled(&self, agent: &Agent, skills: Vec<Skill>) -> Agent {
        self.change_agent(agent, AgentProfile { skills, ..Default::default() }).await
    }

    async fn begin_from(&self, source: &str, name: &str) -> Conversation {
        let message = RecordMessageRequest { source: source.into(), ..inbound(name, "1") };
        self.record(message).await.conversation.unwrap()
    }

    async fn who(&self, it: &Conversation) -> String {
        self.assigned(&it.conversation_id).await.assignee.unwrap().username
    }
}

testkit::on_both_databases! {
    // R10
    async fn balanced_gives_to_who_has_the_least_and_of_those_to_who_is_idle_for_longest(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        let team = world.team("airline", &[&ana, &ben]).await;
        world.route_by("", shared(&team, Strategy::Balanced)).await;
        for number in 0..2 {
            let it = world.begin(&format!("by-hand-{number}")).await;
            let it = world.assigned(&it.conversation_id).await;
            world.assign("ana", &it, &ana).await.unwrap();
        }
        let mut turns = Vec::new();
        for number in 0..4 {
            turns.push(world.who(&world.begin(&format!("c-{number}")).await).await);
        }
        // Two against none: ben has as many after two; then who got something longer ago, ana by hand.
        assert_eq!(turns, ["ben", "ben", "ana", "ben"]);
        let last = world.begin("c-9").await;
        world.assigned(&last.conversation_id).await;
        let decision = world.decisions(&last.conversation_id).await.remove(0);
        assert_eq!(decision.strategy(), Strategy::Balanced);
        let others: Vec<Exclusion> = decision.candidates.iter().map(|candidate| candidate.exclusion()).collect();
        assert!(others.contains(&Exclusion::Busier), "{others:?}");
        assert!(decision.summary.contains("had the least to do"), "{}", decision.summary);
    }

    // R10, R11
    async fn skills_are_required_at_their_level_and_who_learns_them_drains_the_queue(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        world.skilled(&ana, vec![skill("billing", 2), skill("german", 5)]).await;
        let team = world.team("airline", &[&ana, &ben]).await;
        let required_skills = vec![requires("german", 0), requires("billing", 3)];
        world.route_by("", AssignTeam { required_skills, ..shared(&team, Strategy::SkillBased) }).await;
        let it = world.begin("c-1").await;
        let decision = world.decided(&it.conversation_id, 1).await.remove(0);
        assert_eq!((decision.outcome(), decision.strategy()), (DecisionOutcome::Queued, Strategy::SkillBased));
        assert_eq!(decision.required_skills, [requires("billing", 3), requires("german", 1)]);
        assert!(decision.candidates.iter().all(|candidate| candidate.exclusion() == Exclusion::SkillMissing));
        assert!(decision.summary.ends_with("; it requires billing 3, german 1; workflow \"route\" chose the team."), "{}", decision.summary);
        world.skilled(&ana, vec![skill("billing", 3), skill("german", 5)]).await;
        assert_eq!(world.who(&it).await, "ana");
    }

    // R10
    async fn after_a_wait_any_level_is_enough_and_after_twice_that_anybody(engine) {
        let world = World::at_new_year(engine).await;
        let ana = world.online("ana").await;
        world.skilled(&ana, vec![skill("german", 1)]).await;
        let team = world.team("airline", &[&ana]).await;
        let after = Some(prost_types::Duration { seconds: 30, nanos: 0 });
        for (source, name) in [("german", "german"), ("french", "french")] {
            let required_skills = vec![requires(name, 4)];
            let assign = AssignTeam { required_skills, relax_after: after, ..shared(&team, Strategy::SkillBased) };
            world.route_by(&format!("conversation.source == '{source}'"), assign).await;
        }
        let (german, french) = (world.begin_from("german", "c-1").await, world.begin_from("french", "c-2").await);
        for it in [&german, &french] {
            assert_eq!(world.decided(&it.conversation_id, 1).await[0].outcome(), DecisionOutcome::Queued);
        }
        world.suite.hand().advance(Duration::from_secs(30));
        assert_eq!(world.who(&german).await, "ana");
        assert_eq!(world.decisions(&german.conversation_id).await[0].skill_relaxation(), SkillRelaxation::Levels);
        assert!(world.read(&french.conversation_id).await.assignee.is_none(), "she has no French at all");
        world.suite.hand().advance(Duration::from_secs(30));
        assert_eq!(world.who(&french).await, "ana");
        assert_eq!(world.decisions(&french.conversation_id).await[0].skill_relaxation(), SkillRelaxation::Skills);
    }

    // R10
    async fn sticky_gives_to_the_contacts_last_agent_while_they_can_take_it(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        let team = world.team("airline", &[&ana, &ben]).await;
        world.route_by("", shared(&team, Strategy::Sticky)).await;
        let of_the_same = async |name: &str| {
            let message = RecordMessageRequest { contact_address: "faithful".into(), ..inbound(name, "1") };
            world.record(message).await.conversation.unwrap()
        };
        let first = world.who(&of_the_same("c-1").await).await;
        let again = of_the_same("c-2").await;
        assert_eq!(world.who(&again).await, first);
        let decision = world.decisions(&again.conversation_id).await.remove(0);
        assert!(decision.summary.starts_with(&format!("{first} had the contact's last conversation")), "{}", decision.summary);
        let other = decision.candidates.iter().find(|candidate| candidate.agent.as_ref().unwrap().username != first);
        assert_eq!(other.unwrap().exclusion(), Exclusion::NotTheLastAgent);
        let agent = if first == "ana" { &ana } else { &ben };
        world.pin(&first, agent, Availability::Away).await;
        let third = of_the_same("c-3").await;
        let second = world.who(&third).await;
        assert_ne!(second, first, "not there: whose turn it is");
        world.pin(&first, agent, Availability::Online).await;
        assert_eq!(world.who(&of_the_same("c-4").await).await, second, "the last one is another by now");
    }

    // R6, R11
    async fn what_leaves_the_queue_and_joins_again_is_shared_as_before(engine) {
        let world = World::on(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("airline", &[&ana]).await;
        let required_skills = vec![requires("german", 1)];
        world.route_by("", AssignTeam { required_skills, ..shared(&team, Strategy::SkillBased) }).await;
        let it = world.begin("c-1").await;
        world.decided(&it.conversation_id, 1).await;
        world.resolve(&it.conversation_id).await;
        world.record(inbound("c-1", "2")).await;
        let decision = world.decided(&it.conversation_id, 2).await.remove(0);
        assert_eq!((decision.outcome(), decision.strategy()), (DecisionOutcome::Queued, Strategy::SkillBased));
        assert_eq!(decision.required_skills, [requires("german", 1)]);
    }

    // R11
    async fn many_in_front_that_nobody_can_take_do_not_block_those_behind(engine) {
        let world = World::on(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("airline", &[&ana]).await;
        let required_skills = vec![requires("german", 1)];
        let german = AssignTeam { required_skills, ..shared(&team, Strategy::SkillBased) };
        world.route_by("conversation.source == 'german'", german).await;
        world.route("conversation.source != 'german'", &team).await;
        for number in 0..210 {
            world.begin_from("german", &format!("g-{number}")).await;
        }
        assert_eq!(world.who(&world.begin_from("other", "c-1").await).await, "ana");
    }

    // R9, R10
    async fn a_way_of_sharing_that_cannot_work_is_refused_with_its_field(engine) {
        let world = World::on(engine).await;
        let team = world.team("airline", &[]).await;
        let skilled = |required_skills| AssignTeam { required_skills, ..shared(&team, Strategy::SkillBased) };
        let after = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        let good = skilled(vec![requires("german", 1)]);
        let bad = [
            skilled(vec![]),
            skilled(vec![requires("german", 1), requires("german", 2)]),
            skilled(vec![requires("german", 6)]),
            skilled(vec![requires("a:b", 1)]),
            AssignTeam { strategy: Strategy::Balanced.into(), ..good.clone() },
            AssignTeam { relax_after: after(0), ..good.clone() },
            AssignTeam { relax_after: after(-5), ..good.clone() },
            AssignTeam { relax_after: after(31 * 24 * 60 * 60), ..good.clone() },
            AssignTeam { relax_after: after(5), ..shared(&team, Strategy::Sticky) },
        ];
        for assign in bad {
            let spec = spec("", vec![action::Action::AssignTeam(assign.clone())]);
            let request = CreateWorkflowRequest { spec: Some(spec), request_id: String::new() };
            let refused = world.workflows().create_workflow(request).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)), "{assign:?}");
        }
        let kept = AssignTeam { relax_after: after(5), ..good };
        let made = world.route_by("", kept.clone()).await;
        assert_eq!(made.actions[0].action, Some(action::Action::AssignTeam(kept)));
    }
}
