//! Nobody is forgotten: what becomes of customers whose agent goes offline, or does not reply.

mod later;

use kernel::Role;
use proto::common::v1::{AuditFilter, ErrorReason};
use proto::notifications::v1::{NotificationEvent, NotificationType};
use proto::routing::v1::admin_service_client::AdminServiceClient;
use proto::routing::v1::history_service_client::HistoryServiceClient;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, inbound, outbound, refusal};

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

fn holder(it: &Conversation) -> &str {
    it.assignee.as_ref().map_or("", |person| &person.username)
}

impl World {
    async fn beat(&self, subject: &str) {
        self.agents(subject, Role::Agent).send_heartbeat(SendHeartbeatRequest {}).await.unwrap();
    }

    /// Once it is noted that they are offline.
    async fn noted_offline(&self, agent: &Agent) {
        for _ in 0..400 {
            let filter = ListAuditEventsRequest {
                filter: Some(AuditFilter { action: "agent.go_offline".into(), ..Default::default() }),
                ..Default::default()
            };
            let mut admin = AdminServiceClient::new(self.client("root", Role::Admin));
            let noted = admin.list_audit_events(filter).await.unwrap().into_inner().events;
            if noted.iter().any(|it| it.object_id == agent.agent_id) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("nobody noted that they are gone");
    }

    async fn leave(&self, subject: &str, agent: &Agent) {
        self.pin(subject, agent, Availability::Offline).await;
    }

    /// A conversation of a team that this agent has, and whose customer waits.
    async fn left_to(&self, name: &str, agent: &Agent, team: &Team) -> Conversation {
        let it = self.begin(name).await;
        let queued =
            self.order("root", &it, assign_conversation_request::Target::TeamId(team.team_id.clone()));
        queued.await.unwrap();
        let it = self.until(&it.conversation_id, |it| !it.team_id.is_empty()).await;
        match holder(&it) {
            "" => match self.assign("root", &it, agent).await {
                Ok(it) => it,
                Err(_) => self.assigned(&it.conversation_id).await,
            },
            _ => it,
        }
    }

    async fn limit(&self, team: &Team, limit: i64, then: ReplyLimitAction) -> Team {
        let limit = ReplyLimit { limit: seconds(limit), then: then.into() };
        let request = UpdateTeamRequest {
            team_id: team.team_id.clone(),
            reply_limit: Some(limit),
            ..Default::default()
        };
        self.teams().update_team(request).await.unwrap().into_inner().team.unwrap()
    }

    /// The latest decision of this cause.
    async fn because(&self, id: &str, cause: DecisionCause) -> Decision {
        let all = self.decisions(id).await;
        all.into_iter().find(|it| it.cause() == cause).unwrap()
    }

    async fn last_event(&self, id: &str) -> HistoryEvent {
        self.events_of(id).await.remove(0)
    }

    async fn events_of(&self, id: &str) -> Vec<HistoryEvent> {
        let order = HistoryOrder::NewestFirst.into();
        let request = GetHistoryRequest { conversation_id: id.to_owned(), order, ..Default::default() };
        let mut history = HistoryServiceClient::new(self.client("ana", Role::Agent));
        history.get_history(request).await.unwrap().into_inner().events
    }

    /// What was said of waiting customers, once so much was.
    async fn complaints(&self, count: usize) -> Vec<NotificationEvent> {
        let mut all = Vec::new();
        for _ in 0..400 {
            let told = self.told(0).await;
            all = told.into_iter().filter(|it| it.r#type() == NotificationType::NoReply).collect();
            if all.len() >= count {
                return all;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{} complaints, not {count}", all.len());
    }
}

testkit::on_both_databases! {
    // R13
    async fn who_vanishes_loses_after_the_grace_whom_they_left_waiting(engine) {
        let world = World::attentive(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let team = world.team("bags", &[&ana, &ben]).await;
        world.beat("ana").await;
        let it = world.left_to("c-1", &ana, &team).await;
        let answered = world.left_to("c-2", &ana, &team).await;
        world.record(outbound("c-2", "2")).await;
        assert_eq!(world.agent("ana").await.open_conversation_count, 2);
        world.pass(61);
        world.noted_offline(&ana).await;
        assert_eq!(holder(&world.read(&it.conversation_id).await), "ana", "the grace has only begun");
        world.pass(120);
        world.until(&it.conversation_id, |it| it.assignee.is_none()).await;
        let back = world.last_event(&it.conversation_id).await;
        assert_eq!((back.r#type(), back.reason(), back.team_id.as_str()), (HistoryEventType::Queued, HistoryEventReason::AgentOffline, team.team_id.as_str()));
        assert_eq!(back.previous_assignee.unwrap().username, "ana");
        let why = world.because(&it.conversation_id, DecisionCause::AgentOffline).await;
        assert_eq!(why.outcome(), DecisionOutcome::Queued);
        assert_eq!(why.previous_assignee.unwrap().username, "ana");
        assert_eq!(why.summary, "ana was offline for 1 minute while the customer waited: it went back to the queue of its team, where it keeps the time since when it waits.");
        assert_eq!(world.complaints(1).await[0].recipient_subjects, ["ana"]);
        world.online("ben").await;
        assert_eq!(holder(&world.assigned(&it.conversation_id).await), "ben");
        assert_eq!(holder(&world.read(&answered.conversation_id).await), "ana", "whom they answered they keep");
        let filter = Some(AuditFilter { action: "conversation.queue".into(), object_kind: "conversation".into(), object_id: it.conversation_id.clone(), ..Default::default() });
        let mut admin = AdminServiceClient::new(world.client("root", Role::Admin));
        let listed = admin.list_audit_events(ListAuditEventsRequest { filter, ..Default::default() }).await;
        assert_eq!(listed.unwrap().into_inner().events.len(), 2, "given to the team, and back to it");
    }

    // R13
    async fn who_comes_back_in_time_or_is_only_away_keeps_everything(engine) {
        let world = World::attentive(engine).await;
        let (ana, ben, cleo) = (world.online("ana").await, world.online("ben").await, world.online("cleo").await);
        let team = world.team("bags", &[]).await;
        let kept = world.left_to("c-1", &ana, &team).await;
        let away = world.left_to("c-2", &ben, &team).await;
        let lost = world.left_to("c-3", &cleo, &team).await;
        world.leave("ana", &ana).await;
        world.leave("cleo", &cleo).await;
        world.pin("ben", &ben, Availability::Away).await;
        world.pass(50);
        world.online("ana").await;
        world.pass(10);
        world.until(&lost.conversation_id, |it| it.assignee.is_none()).await;
        assert_eq!(holder(&world.read(&kept.conversation_id).await), "ana");
        assert_eq!(holder(&world.read(&away.conversation_id).await), "ben");
        let other = world.left_to("c-4", &cleo, &team).await;
        world.online("cleo").await;
        world.leave("ana", &ana).await;
        world.leave("cleo", &cleo).await;
        world.pass(59);
        let later = world.left_to("c-5", &ben, &team).await;
        world.leave("ben", &ben).await;
        world.pass(1);
        world.until(&other.conversation_id, |it| it.assignee.is_none()).await;
        world.until(&kept.conversation_id, |it| it.assignee.is_none()).await;
        assert_eq!(holder(&world.read(&later.conversation_id).await), "ben", "each has a grace of their own");
    }

    // R13
    async fn what_comes_back_keeps_its_place_before_those_who_wait_for_less_long(engine) {
        let world = World::attentive(engine).await;
        let (ana, ben) = (world.online("ana").await, world.agent("ben").await);
        let team = world.team("bags", &[&ben]).await;
        world.settle(UpdateSettingsRequest { default_capacity_units: Some(1), ..Default::default() }).await;
        let old = world.left_to("c-1", &ana, &team).await;
        world.pass(5);
        let young = world.begin("c-2").await;
        let target = assign_conversation_request::Target::TeamId(team.team_id.clone());
        let young = world.order("root", &young, target).await.unwrap();
        world.leave("ana", &ana).await;
        world.pass(60);
        world.until(&old.conversation_id, |it| it.assignee.is_none()).await;
        world.online("ben").await;
        assert_eq!(holder(&world.assigned(&old.conversation_id).await), "ben");
        assert_eq!(holder(&world.read(&young.conversation_id).await), "");
    }

    // R13
    async fn the_grace_is_the_organizations_and_can_be_without_end(engine) {
        let world = World::attentive(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        let team = world.team("bags", &[]).await;
        let read = world.settings().get_settings(GetSettingsRequest {}).await.unwrap().into_inner();
        assert_eq!(read.settings.unwrap().offline_grace, seconds(60));
        let kept = world.left_to("c-1", &ana, &team).await;
        let lost = world.left_to("c-2", &ben, &team).await;
        let off = world.settle(UpdateSettingsRequest { offline_grace: seconds(0), ..Default::default() }).await;
        assert_eq!(off.offline_grace, seconds(0));
        world.leave("ana", &ana).await;
        world.pass(600);
        assert_eq!(holder(&world.read(&kept.conversation_id).await), "ana");
        let short = world.settle(UpdateSettingsRequest { offline_grace: seconds(5), ..Default::default() }).await;
        assert_eq!(short.offline_grace, seconds(5));
        world.leave("ben", &ben).await;
        world.pass(5);
        for it in [&kept, &lost] {
            world.until(&it.conversation_id, |it| it.assignee.is_none()).await;
        }
        let mask = prost_types::FieldMask { paths: vec!["offline_grace".into()] };
        let back = world.settle(UpdateSettingsRequest { update_mask: Some(mask), ..Default::default() }).await;
        assert_eq!(back.offline_grace, seconds(60), "the default");
        for bad in [seconds(-1), seconds(86_401), Some(prost_types::Duration { seconds: 1, nanos: 1 })] {
            let request = UpdateSettingsRequest { offline_grace: bad, ..Default::default() };
            let refused = world.settings().update_settings(request).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
        }
    }

    // R13
    async fn supervisors_learn_of_what_nobody_has_and_no_team_waits_for(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        world.agents("sue", Role::Supervisor).get_my_agent(GetMyAgentRequest {}).await.unwrap();
        let it = world.begin("c-1").await;
        world.assign("root", &it, &ana).await.unwrap();
        world.leave("ana", &ana).await;
        world.pass(60);
        let it = world.until(&it.conversation_id, |it| it.assignee.is_none()).await;
        let gone = world.last_event(&it.conversation_id).await;
        assert_eq!((gone.r#type(), gone.reason()), (HistoryEventType::Unassigned, HistoryEventReason::AgentOffline));
        let why = world.because(&it.conversation_id, DecisionCause::AgentOffline).await;
        assert_eq!(why.outcome(), DecisionOutcome::Unassigned);
        assert_eq!(why.summary, "ana was offline for 1 minute while the customer waited: nobody has it, as it belongs to no team.");
        let told = world.complaints(2).await;
        let of = |subject: &str| told.iter().find(|it| it.recipient_subjects.iter().any(|it| it == subject)).unwrap();
        assert!(of("sue").reason.starts_with("ana was offline for 1 minute"), "{}", of("sue").reason);
        assert_eq!(of("ana").reason, "You were offline for 1 minute while the customer waited: nobody has the conversation now, as it belongs to no team.");
        assert_eq!(world.agent("ana").await.open_conversation_count, 0);
    }

    // R13
    async fn without_a_reply_within_the_limit_it_goes_back_to_the_queue(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("bags", &[&ana]).await;
        let limited = world.limit(&team, 60, ReplyLimitAction::Requeue).await;
        assert_eq!(limited.reply_limit, Some(ReplyLimit { limit: seconds(60), then: ReplyLimitAction::Requeue.into() }));
        let it = world.left_to("c-1", &ana, &team).await;
        world.pin("ana", &ana, Availability::Away).await;
        world.pass(59);
        world.record(outbound("c-1", "2")).await;
        world.record(inbound("c-1", "3")).await;
        world.pass(59);
        assert_eq!(holder(&world.read(&it.conversation_id).await), "ana");
        world.pass(1);
        world.until(&it.conversation_id, |it| it.assignee.is_none()).await;
        let back = world.last_event(&it.conversation_id).await;
        assert_eq!((back.r#type(), back.reason()), (HistoryEventType::Queued, HistoryEventReason::NoReply));
        let why = world.because(&it.conversation_id, DecisionCause::NoReply).await;
        assert_eq!(why.outcome(), DecisionOutcome::Queued);
        assert_eq!(why.summary, "ana left the customer without a reply for 1 minute: it went back to the queue of its team, where it keeps the time since when it waits.");
        assert_eq!(world.complaints(1).await[0].reason, "You left the customer without a reply for 1 minute: the conversation went back to the queue of team @bags.");
    }

    // R13
    async fn the_next_agent_is_another_while_there_is_one(engine) {
        let world = World::attentive(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        let team = world.team("bags", &[&ana, &ben]).await;
        world.limit(&team, 60, ReplyLimitAction::NextAgent).await;
        let it = world.begin("c-1").await;
        let target = assign_conversation_request::Target::TeamId(team.team_id.clone());
        world.order("root", &it, target.clone()).await.unwrap();
        let first = holder(&world.assigned(&it.conversation_id).await).to_owned();
        // Now it is the turn of whoever had it first.
        let between = world.begin("c-2").await;
        world.order("root", &between, target).await.unwrap();
        world.assigned(&between.conversation_id).await;
        world.record(outbound("c-2", "2")).await;
        world.pass(60);
        let second = world.until(&it.conversation_id, |it| !holder(it).is_empty() && holder(it) != first).await;
        let second = holder(&second).to_owned();
        let why = world.decisions(&it.conversation_id).await;
        let passed = why[0].candidates.iter().find(|it| it.agent.as_ref().unwrap().username == first).unwrap();
        assert_eq!(passed.exclusion(), Exclusion::Refused);
        assert_eq!(why[1].cause(), DecisionCause::NoReply);

        let gone = if first == "ana" { &ana } else { &ben };
        world.pin(&first, gone, Availability::Away).await;
        world.pass(60);
        let decisions = world.decided(&it.conversation_id, why.len() + 2).await;
        assert_eq!(decisions[0].chosen.as_ref().unwrap().username, second, "nobody else is there");
        assert_eq!(holder(&world.read(&it.conversation_id).await), second);
    }

    // R13
    async fn supervisors_are_told_once_and_the_agent_keeps_it(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        let sue = world.agents("sue", Role::Supervisor).get_my_agent(GetMyAgentRequest {}).await.unwrap().into_inner().agent.unwrap();
        world.agents("tom", Role::Supervisor).get_my_agent(GetMyAgentRequest {}).await.unwrap();
        let (team, other) = (world.team("bags", &[&ana, &sue]).await, world.team("seats", &[&ana]).await);
        for team in [&team, &other] {
            world.limit(team, 60, ReplyLimitAction::NotifySupervisor).await;
        }
        let it = world.left_to("c-1", &ana, &team).await;
        let theirs = world.left_to("c-2", &ana, &other).await;
        world.pass(60);
        let told = world.complaints(4).await;
        let of = |id: &str| {
            let about = told.iter().filter(|it| it.conversation_id == id && it.recipient_subjects != ["ana"]);
            about.flat_map(|it| it.recipient_subjects.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of(&it.conversation_id), ["sue"]);
        assert_eq!(of(&theirs.conversation_id), ["sue", "tom"], "no supervisor is in that team");
        assert!(told.iter().any(|it| it.reason == "ana left the customer without a reply for 1 minute: they still have the conversation."));
        assert_eq!(holder(&world.read(&it.conversation_id).await), "ana");
        let why = world.decisions(&it.conversation_id).await.remove(0);
        assert_eq!((why.cause(), why.outcome()), (DecisionCause::NoReply, DecisionOutcome::Unchanged));
        world.record(inbound("c-1", "2")).await;
        world.record(outbound("c-2", "2")).await;
        world.record(inbound("c-2", "3")).await;
        world.pass(60);
        assert_eq!(world.complaints(6).await.iter().filter(|told| told.conversation_id == it.conversation_id).count(), 2, "once for each wait");
    }

    // R13
    async fn a_limit_can_be_taken_away_and_has_its_bounds(engine) {
        let world = World::on(engine).await;
        let team = world.team("bags", &[]).await;
        for bad in [None, seconds(9), seconds(30 * 86_400 + 1), Some(prost_types::Duration { seconds: 60, nanos: 1 })] {
            let limit = Some(ReplyLimit { limit: bad, then: ReplyLimitAction::Requeue.into() });
            let request = UpdateTeamRequest { team_id: team.team_id.clone(), reply_limit: limit, ..Default::default() };
            let refused = world.teams().update_team(request).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
            let request = CreateTeamRequest { handle: "seats".into(), reply_limit: limit, ..Default::default() };
            let refused = world.teams().create_team(request).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
        }
        let limited = world.limit(&team, 90, ReplyLimitAction::NextAgent).await;
        assert_eq!(limited.reply_limit, Some(ReplyLimit { limit: seconds(90), then: ReplyLimitAction::NextAgent.into() }));
        let mask = prost_types::FieldMask { paths: vec!["reply_limit".into()] };
        let request = UpdateTeamRequest { team_id: team.team_id.clone(), update_mask: Some(mask), ..Default::default() };
        let free = world.teams().update_team(request).await.unwrap().into_inner().team.unwrap();
        assert_eq!(free.reply_limit, None);
    }
}
