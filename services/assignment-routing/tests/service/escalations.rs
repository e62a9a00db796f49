//! Giving a conversation to who knows more.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notifications::v1::NotificationType;
use proto::routing::v1::escalate_conversation_request::Target;
use proto::routing::v1::handoff_service_client::HandoffServiceClient;
use proto::routing::v1::*;
use tonic::{Code, Status};

use crate::handoffs::handoff;
use crate::world::{World, metadata, refusal};

impl World {
    async fn escalate(&self, by: &str, request: EscalateConversationRequest) -> Result<Conversation, Status> {
        let mut client = HandoffServiceClient::new(self.client(by, Role::Agent));
        Ok(client.escalate_conversation(request).await?.into_inner().conversation.unwrap())
    }

    /// A supervisor, made from their token on first sight.
    pub(crate) async fn supervisor(&self, subject: &str) -> Agent {
        let answer = self.agents(subject, Role::Supervisor).get_my_agent(GetMyAgentRequest {}).await;
        answer.unwrap().into_inner().agent.unwrap()
    }
}

fn of(it: &Conversation, target: Target) -> EscalateConversationRequest {
    EscalateConversationRequest {
        conversation_id: it.conversation_id.clone(),
        etag: it.etag.clone(),
        target: Some(target),
        ..Default::default()
    }
}

testkit::on_both_databases! {
    // R14
    async fn a_supervisor_gets_it_with_the_handoff_and_is_told_that_it_was_escalated(engine) {
        let world = World::on(engine).await;
        let (ana, sue) = (world.agent("ana").await, world.supervisor("sue").await);
        let it = world.begin("c-1").await;
        let it = world.assign("ana", &it, &ana).await.unwrap();
        let request = EscalateConversationRequest {
            handoff: Some(handoff()),
            priority: Priority::Urgent.into(),
            ..of(&it, Target::SupervisorId(sue.agent_id.clone()))
        };
        let escalated = world.escalate("ana", request).await.unwrap();
        assert_eq!(escalated.assignee.as_ref().unwrap().username, "sue");
        assert_eq!(escalated.priority(), Priority::Urgent);
        let (told, note) = (world.told(1).await, world.notes.written(1).await.remove(0));
        assert_eq!((told.len(), told[0].r#type()), (1, NotificationType::Escalated));
        assert_eq!((told[0].recipient_subjects.as_slice(), &told[0].note_id), (["sue".to_owned()].as_slice(), &note.event_id));
        assert!(told[0].reason.contains("urgency: high"), "{}", told[0].reason);
        let summary = world.decisions(&it.conversation_id).await.remove(0).summary;
        assert_eq!(summary, "ana escalated it to sue.");
        let lower = EscalateConversationRequest {
            priority: Priority::Low.into(),
            ..of(&escalated, Target::SupervisorId(sue.agent_id))
        };
        let still = world.escalate("ana", lower).await.unwrap();
        assert_eq!(still, escalated, "they have it, and it is not less urgent");
    }

    // R14
    async fn where_it_is_demanded_nothing_is_escalated_without_a_handoff(engine) {
        let world = World::on(engine).await;
        let sue = world.supervisor("sue").await;
        let demanded = UpdateSettingsRequest { escalate_requires_handoff: Some(true), ..Default::default() };
        world.decide(demanded).await;
        let it = world.begin("c-1").await;
        let plain = of(&it, Target::SupervisorId(sue.agent_id.clone()));
        let refused = world.escalate("ana", plain.clone()).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, Some(ErrorReason::HandoffRequired)));
        assert_eq!(metadata(&refused, "setting").as_deref(), Some("escalate_requires_handoff"));
        let taken = world.escalate("sue", plain).await.unwrap();
        assert_eq!(taken.assignee.unwrap().username, "sue", "who takes it over needs none");
    }

    // R14
    async fn nothing_is_escalated_to_an_agent_or_with_an_old_etag(engine) {
        let world = World::on(engine).await;
        let (ben, sue) = (world.agent("ben").await, world.supervisor("sue").await);
        let it = world.begin("c-1").await;
        let refused = world.escalate("ana", of(&it, Target::SupervisorId(ben.agent_id))).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains("supervisor_id"), "{}", refused.message());
        let request = of(&it, Target::SupervisorId(sue.agent_id));
        world.escalate("ana", request.clone()).await.unwrap();
        let refused = world.escalate("ana", request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Aborted, Some(ErrorReason::StaleEtag)));
    }

    // R14
    async fn a_team_gets_it_into_its_queue_and_its_supervisors_are_told_also_of_a_second_time(engine) {
        let world = World::on(engine).await;
        let (ana, sue, tom) = (world.agent("ana").await, world.supervisor("sue").await, world.supervisor("tom").await);
        let team = world.team("experts", &[&ana, &sue, &tom]).await;
        let it = world.begin("c-1").await;
        let it = world.assign("ana", &it, &ana).await.unwrap();
        let request = EscalateConversationRequest { handoff: Some(handoff()), ..of(&it, Target::TeamId(team.team_id.clone())) };
        let queued = world.escalate("ana", request).await.unwrap();
        assert_eq!((queued.assignee.is_none(), &queued.team_id), (true, &team.team_id));
        let told = world.told(2).await;
        let mut whom: Vec<&str> = told.iter().map(|it| it.recipient_subjects[0].as_str()).collect();
        whom.sort_unstable();
        assert_eq!(whom, ["sue", "tom"]);
        assert!(told.iter().all(|it| it.r#type() == NotificationType::Escalated));
        let higher = EscalateConversationRequest { priority: Priority::High.into(), ..of(&queued, Target::TeamId(team.team_id)) };
        let again = world.escalate("sue", higher).await.unwrap();
        assert_eq!((again.priority(), again.team_id.as_str()), (Priority::High, queued.team_id.as_str()));
        let told = world.told(3).await;
        assert_eq!((told.len(), told[2].recipient_subjects.as_slice()), (3, ["tom".to_owned()].as_slice()), "who does it is not told");
    }
}
