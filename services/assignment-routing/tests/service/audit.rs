//! What was done leaves a record: who, what, on which object, from which request.

use std::time::Duration;

use kernel::Role;
use proto::common::v1::{self as common, AuditEvent, AuditFilter, AuditVerdict, ErrorReason};
use proto::routing::v1::admin_service_client::AdminServiceClient;
use proto::routing::v1::*;
use testkit::Client;
use tonic::Code;

use crate::world::{World, inbound, refusal};

type Admins = AdminServiceClient<Client>;

fn admin(world: &World) -> Admins {
    AdminServiceClient::new(world.client("root", Role::Admin))
}

/// All records that fit, oldest first.
async fn recorded(world: &World, filter: AuditFilter) -> Vec<AuditEvent> {
    let request = ListAuditEventsRequest { filter: Some(filter), page_size: 200, page_token: String::new() };
    let answer = admin(world).list_audit_events(request).await.unwrap().into_inner();
    assert_eq!(answer.next_page_token, "");
    answer.events.into_iter().rev().collect()
}

fn on(object_kind: &str, object_id: &str) -> AuditFilter {
    AuditFilter { object_kind: object_kind.into(), object_id: object_id.into(), ..AuditFilter::default() }
}

/// Who did what.
fn deeds(events: &[AuditEvent]) -> Vec<(&str, &str)> {
    events.iter().map(|event| (event.actor_subject.as_str(), event.action.as_str())).collect()
}

testkit::on_both_databases! {
    // P10
    async fn every_change_of_a_conversation_is_recorded_with_who_made_it(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        let team = world.team("billing", &[&ana]).await;
        world.route("true", &team).await;
        let it = world.begin("c-1").await;
        let id = it.conversation_id.clone();
        let it = world.assigned(&id).await;
        let it = world.assign("ana", &it, &ben).await.unwrap();
        let it = world.assign("ben", &it, &ben).await.unwrap();
        let to_team = assign_conversation_request::Target::TeamId(team.team_id.clone());
        world.order("ben", &it, to_team).await.unwrap();
        world.assigned(&id).await;
        let nobody = assign_conversation_request::Target::Nobody(());
        let it = world.order("ben", &world.read(&id).await, nobody).await.unwrap();
        let request_id = world.request_id();
        let update = UpdateConversationRequest {
            conversation_id: id.clone(),
            subject: "a bag".into(),
            etag: it.etag,
            request_id: request_id.clone(),
            ..Default::default()
        };
        let mut ana = world.conversations("ana", Role::Agent);
        for _ in 0..2 {
            ana.update_conversation(update.clone()).await.unwrap();
        }
        let stale = UpdateConversationRequest { subject: "lost".into(), request_id: String::new(), ..update };
        ana.update_conversation(stale).await.unwrap_err();
        world.resolve(&id).await;
        world.resolve(&id).await;
        let again = world.record(inbound("c-1", "2")).await;
        world.record(inbound("c-1", "2")).await;

        let events = recorded(&world, on("conversation", &id)).await;
        // What the reopened conversation's queue makes of it comes later.
        assert_eq!(deeds(&events)[..9], [
            ("chat-adapter", "conversation.create"),
            ("routing", "conversation.assign"),
            ("ana", "conversation.assign"),
            ("ben", "conversation.queue"),
            ("routing", "conversation.assign"),
            ("ben", "conversation.unassign"),
            ("ana", "conversation.update"),
            ("chat-adapter", "conversation.resolve"),
            ("chat-adapter", "conversation.reopen"),
        ]);
        let (by_itself, updated) = (&events[1], &events[6]);
        assert_eq!((by_itself.actor_role(), by_itself.method.as_str()), (common::Role::Service, "assigner"));
        assert_eq!(updated.method, "/backchannel.routing.v1.ConversationService/UpdateConversation");
        assert_eq!((&updated.request_id, updated.actor_role()), (&request_id, common::Role::Agent));
        let message = recorded(&world, on("message", &again.message.unwrap().message_id)).await;
        assert_eq!(deeds(&message), [("chat-adapter", "message.create")]);
    }

    // P10
    async fn people_teams_and_workflows_leave_records_and_what_changes_nothing_leaves_none(engine) {
        let world = World::on(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("billing", &[]).await;
        let members = vec![ana.agent_id.clone()];
        for _ in 0..2 {
            let add = AddTeamMembersRequest { team_id: team.team_id.clone(), agent_ids: members.clone() };
            world.teams().add_team_members(add).await.unwrap();
        }
        let rename =
            UpdateTeamRequest { team_id: team.team_id.clone(), handle: "bills".into(), ..Default::default() };
        for _ in 0..2 {
            world.teams().update_team(rename.clone()).await.unwrap();
        }
        let remove = RemoveTeamMembersRequest { team_id: team.team_id.clone(), agent_ids: members };
        world.teams().remove_team_members(remove).await.unwrap();
        let route = world.route("true", &team).await;
        let delete = DeleteTeamRequest { team_id: team.team_id.clone(), etag: String::new() };
        world.teams().delete_team(delete.clone()).await.unwrap_err();
        let end = DeleteWorkflowRequest { workflow_id: route.workflow_id.clone(), etag: String::new() };
        world.workflows().delete_workflow(end).await.unwrap();
        world.teams().delete_team(delete).await.unwrap();

        assert_eq!(deeds(&recorded(&world, on("agent", &ana.agent_id)).await), [
            ("ana", "agent.create"), ("ana", "agent.set_availability"),
        ]);
        assert_eq!(deeds(&recorded(&world, on("team", &team.team_id)).await), [
            ("root", "team.create"), ("root", "team.add_members"), ("root", "team.update"),
            ("root", "team.remove_members"), ("root", "team.delete"),
        ]);
        assert_eq!(deeds(&recorded(&world, on("workflow", &route.workflow_id)).await), [
            ("root", "workflow.create"), ("root", "workflow.delete"),
        ]);
        let by_root = AuditFilter { actor_subject: "root".into(), ..AuditFilter::default() };
        assert_eq!(recorded(&world, by_root).await.len(), 7);
    }

    // P10
    async fn what_nobody_asked_for_is_recorded_as_the_services_own_work(engine) {
        let world = World::at_new_year(engine).await;
        let ana = world.agent("ana").await;
        let mut agents = world.agents("ana", Role::Agent);
        for _ in 0..3 {
            agents.send_heartbeat(SendHeartbeatRequest {}).await.unwrap();
        }
        let it = world.begin("c-1").await;
        let until = crate::world::NEW_YEAR.plus(Duration::from_secs(3_600));
        let snooze = SnoozeConversationRequest {
            conversation_id: it.conversation_id.clone(),
            snooze_until_time: Some(rpc::convert::proto_time(until)),
            etag: String::new(),
        };
        world.conversations("ana", Role::Agent).snooze_conversation(snooze).await.unwrap();
        world.suite.hand().advance(Duration::from_secs(3_600));
        for _ in 0..400 {
            let done = recorded(&world, AuditFilter { actor_subject: "routing".into(), ..Default::default() }).await;
            if done.len() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(deeds(&recorded(&world, on("agent", &ana.agent_id)).await), [
            ("ana", "agent.create"), ("ana", "agent.come_online"), ("routing", "agent.go_offline"),
        ]);
        let events = recorded(&world, on("conversation", &it.conversation_id)).await;
        assert_eq!(deeds(&events)[1..], [("ana", "conversation.snooze"), ("routing", "conversation.reopen")]);
        assert_eq!(events[2].method, "snooze waker");
    }

    // P7 P10
    async fn admins_read_the_trail_page_by_page_and_verify_it(engine) {
        let world = World::on(engine).await;
        for name in ["one", "two", "three", "four", "five"] {
            world.team(name, &[]).await;
        }
        let (mut pages, mut token) = (Vec::new(), String::new());
        let filter = AuditFilter { action: "team.create".into(), ..AuditFilter::default() };
        loop {
            let request = ListAuditEventsRequest { filter: Some(filter.clone()), page_size: 2, page_token: token };
            let page = admin(&world).list_audit_events(request).await.unwrap().into_inner();
            pages.push(page.events.len());
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
            let foreign = ListAuditEventsRequest { filter: None, page_size: 2, page_token: token.clone() };
            let refused = admin(&world).list_audit_events(foreign).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidPageToken)));
        }
        assert_eq!(pages, [2, 2, 1]);
        let no_kind = AuditFilter { object_id: "x".into(), ..AuditFilter::default() };
        let request = ListAuditEventsRequest { filter: Some(no_kind), ..Default::default() };
        let refused = admin(&world).list_audit_events(request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));

        let mut verification = common::AuditVerification::default();
        for _ in 0..400 {
            let request = VerifyAuditTrailRequest::default();
            verification = admin(&world).verify_audit_trail(request).await.unwrap().into_inner().verification.unwrap();
            assert_eq!(verification.verdict(), AuditVerdict::Intact);
            // A record that is sealed meanwhile counts as both.
            if (verification.verified_count, verification.unsealed_count) == (5, 0) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!((verification.verified_count, verification.unsealed_count), (5, 0));
        let head = verification.head.unwrap();
        let request = VerifyAuditTrailRequest { known_head: Some(head.clone()), ..Default::default() };
        let again = admin(&world).verify_audit_trail(request).await.unwrap().into_inner();
        assert_eq!(again.verification.unwrap().verdict(), AuditVerdict::Intact);
        let other = common::AuditHead { hash: "0".repeat(64), ..head };
        let request = VerifyAuditTrailRequest { known_head: Some(other), ..Default::default() };
        let rewritten = admin(&world).verify_audit_trail(request).await.unwrap().into_inner().verification.unwrap();
        assert_eq!(rewritten.verdict(), AuditVerdict::Broken);
        assert_eq!((rewritten.defect(), rewritten.defect_sequence), (common::AuditDefect::Rewritten, 5));
    }

    // P1 P3 P10
    async fn only_admins_read_the_trail_and_only_their_own(engine) {
        let world = World::on(engine).await;
        world.team("billing", &[]).await;
        for role in [Role::Agent, Role::Supervisor, Role::Contact, Role::Integration, Role::Service] {
            let subject = "01890a5d-ac96-774b-bcce-b302099a8057";
            let mut curious = AdminServiceClient::new(world.client(subject, role));
            let refused = curious.list_audit_events(ListAuditEventsRequest::default()).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
            let refused = curious.verify_audit_trail(VerifyAuditTrailRequest::default()).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
        }
        let mut theirs = AdminServiceClient::new(world.suite.client("globex", "root", Role::Admin));
        let listed = theirs.list_audit_events(ListAuditEventsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed, ListAuditEventsResponse::default());
    }
}
