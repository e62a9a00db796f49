//! Giving a conversation away with a handoff, and where one is demanded.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::ingested_handoff::Receiver;
use proto::notes::v1::ingested_note::Author;
use proto::notifications::v1::NotificationType;
use proto::routing::v1::assign_conversation_request::Target;
use proto::routing::v1::settings_service_client::SettingsServiceClient;
use proto::routing::v1::*;
use tonic::{Code, Status};

use crate::erasure::erase;
use crate::world::{World, metadata, refusal};

impl World {
    pub(crate) async fn decide(&self, settings: UpdateSettingsRequest) {
        let mut admin = SettingsServiceClient::new(self.client("root", Role::Admin));
        admin.update_settings(settings).await.unwrap();
    }

    async fn demand_handoffs(&self) {
        let demanded = UpdateSettingsRequest { reassign_requires_handoff: Some(true), ..Default::default() };
        self.decide(demanded).await;
    }

    /// Gives a conversation away with a handoff, or without.
    pub(crate) async fn hand_over(
        &self,
        by: &str,
        it: &Conversation,
        target: Target,
        handoff: Option<Handoff>,
    ) -> Result<Conversation, Status> {
        let request = AssignConversationRequest {
            conversation_id: it.conversation_id.clone(),
            etag: it.etag.clone(),
            target: Some(target),
            handoff,
            ..Default::default()
        };
        Ok(self.assignments(by).assign_conversation(request).await?.into_inner().conversation.unwrap())
    }
}

/// To this agent.
pub(crate) fn to(agent: &Agent) -> Target {
    Target::AgentId(agent.agent_id.clone())
}

/// One that says something in each of its fields.
pub(crate) fn handoff() -> Handoff {
    Handoff {
        summary: "SECRET: her bag was last seen in Lisbon".into(),
        steps_taken: "SECRET: asked the airline".into(),
        expected_outcome: "SECRET: she has her bag".into(),
        urgency: HandoffUrgency::High.into(),
        due_time: Some(prost_types::Timestamp { seconds: 1_767_300_000, nanos: 0 }),
    }
}

testkit::on_both_databases! {
    // R14
    async fn a_demanded_handoff_is_missed_and_with_it_the_receiver_gets_a_note_and_is_told_how_urgent_it_is(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        world.demand_handoffs().await;
        let it = world.begin("c-1").await;
        let it = world.assign("ana", &it, &ana).await.unwrap();
        let refused = world.hand_over("ana", &it, to(&ben), None).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, Some(ErrorReason::HandoffRequired)));
        assert_eq!(metadata(&refused, "setting").as_deref(), Some("reassign_requires_handoff"));
        assert_eq!(world.read(&it.conversation_id).await, it, "nothing changed");

        let given = world.hand_over("ana", &it, to(&ben), Some(handoff())).await.unwrap();
        assert_eq!(given.assignee.unwrap().username, "ben");
        let note = world.notes.written(1).await.remove(0);
        assert_eq!((note.conversation_id.as_str(), note.contact_id.as_str()), (it.conversation_id.as_str(), it.contact_id.as_str()));
        let Some(Author::Person(author)) = &note.author else { panic!("a person wrote it") };
        assert_eq!((author.subject.as_str(), author.role()), ("ana", proto::common::v1::Role::Agent));
        let written = note.handoff.unwrap();
        let Some(Receiver::Person(receiver)) = &written.receiver else { panic!("it is for a person") };
        assert_eq!(receiver.subject, "ben");
        assert_eq!(note.body, handoff().summary);
        assert_eq!((written.steps_taken.clone(), written.expected_outcome.clone()), (handoff().steps_taken, handoff().expected_outcome));
        assert_eq!(written.urgency(), proto::notes::v1::HandoffUrgency::High);
        assert_eq!(written.due_time, handoff().due_time);

        let told = world.told(1).await;
        assert_eq!((told.len(), told[0].r#type()), (1, NotificationType::Handoff), "and not ASSIGNED as well");
        assert_eq!((told[0].recipient_subjects.as_slice(), told[0].note_id.as_str()), (["ben".to_owned()].as_slice(), note.event_id.as_str()));
        assert!(told[0].reason.contains("high") && !told[0].reason.contains("SECRET"), "{}", told[0].reason);
    }

    // R14
    async fn a_handoff_is_demanded_of_nobody_who_takes_over_or_gives_what_nobody_has(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        world.demand_handoffs().await;
        let it = world.begin("c-1").await;
        let it = world.hand_over("ben", &it, to(&ana), None).await.unwrap();
        let it = world.hand_over("ben", &it, to(&ben), None).await.unwrap();
        let it = world.hand_over("ben", &it, Target::Nobody(()), None).await.unwrap();
        assert!(it.assignee.is_none());
        let team = world.team("bags", &[&ana]).await;
        let it = world.hand_over("ben", &it, to(&ben), None).await.unwrap();
        let refused = world.hand_over("ben", &it, Target::TeamId(team.team_id), None).await.unwrap_err();
        assert_eq!(refusal(&refused).1, Some(ErrorReason::HandoffRequired), "a team is another, too");
        assert_eq!(world.notes.so_far().len(), 0);
    }

    // R14
    async fn a_way_around_nobody_demands_a_handoff_too(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        world.demand_handoffs().await;
        let team = world.team("bags", &[&ana]).await;
        let it = world.begin("c-1").await;
        let it = world.assign("ana", &it, &ana).await.unwrap();
        let it = world.hand_over("ana", &it, Target::Nobody(()), None).await.unwrap();
        let it = world.hand_over("ana", &it, Target::Nobody(()), None).await.unwrap();
        for target in [to(&ben), Target::TeamId(team.team_id.clone())] {
            let refused = world.hand_over("ana", &it, target, None).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::FailedPrecondition, Some(ErrorReason::HandoffRequired)));
        }
        let back = world.hand_over("ben", &it, to(&ana), None).await.unwrap();
        assert_eq!(back.assignee.as_ref().unwrap().username, "ana");
        let it = world.hand_over("ana", &back, Target::Nobody(()), None).await.unwrap();
        let it = world.hand_over("ana", &it, to(&ben), Some(handoff())).await.unwrap();
        assert_eq!(it.assignee.as_ref().unwrap().username, "ben");
        world.notes.written(1).await;
        // What is done is nobody's to hand over.
        let it = world.hand_over("ben", &it, Target::Nobody(()), None).await.unwrap();
        world.resolve(&it.conversation_id).await;
        let it = world.record(crate::world::inbound("c-1", "2")).await.conversation.unwrap();
        world.hand_over("ben", &it, to(&ana), None).await.unwrap();
    }

    // R14
    async fn a_handoff_that_would_reach_nobody_is_refused_and_not_lost(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let it = world.begin("c-1").await;
        let it = world.assign("ana", &it, &ben).await.unwrap();
        let team = world.team("bags", &[]).await;
        let cases = [(Target::Nobody(()), "nobody"), (to(&ana), "oneself"), (to(&ben), "who has it")];
        for (target, whom) in cases {
            let refused = world.hand_over("ana", &it, target, Some(handoff())).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)), "{whom}");
            assert!(refused.message().starts_with("handoff "), "{}", refused.message());
        }
        let it = world.order("ana", &it, Target::TeamId(team.team_id.clone())).await.unwrap();
        let refused = world.hand_over("ana", &it, Target::TeamId(team.team_id), Some(handoff())).await;
        assert_eq!(refusal(&refused.unwrap_err()).0, Code::InvalidArgument, "it waits there already");
        let empty = Some(Handoff::default());
        assert_eq!(world.hand_over("ana", &it, to(&ben), empty).await.unwrap_err().code(), Code::InvalidArgument);
        assert_eq!(world.notes.so_far().len(), 0);
    }

    // R14
    async fn a_handoff_to_a_team_is_for_the_team(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let team = world.team("bags", &[&ana]).await;
        let it = world.begin("c-1").await;
        let it = world.assign("ana", &it, &ana).await.unwrap();
        world.hand_over("ana", &it, Target::TeamId(team.team_id), Some(handoff())).await.unwrap();
        let note = world.notes.written(1).await.remove(0);
        assert_eq!(note.handoff.unwrap().receiver, Some(Receiver::TeamHandle("bags".into())));
    }

    // R14, P5
    async fn a_retry_hands_over_once(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let it = world.begin("c-1").await;
        let it = world.assign("ana", &it, &ana).await.unwrap();
        let request = AssignConversationRequest {
            conversation_id: it.conversation_id,
            etag: it.etag,
            target: Some(to(&ben)),
            handoff: Some(handoff()),
            request_id: world.request_id(),
        };
        let mut client = world.assignments("ana");
        let first = client.assign_conversation(request.clone()).await.unwrap().into_inner();
        let again = client.assign_conversation(request).await.unwrap().into_inner();
        assert_eq!(first, again);
        world.told(1).await;
        assert_eq!(world.notes.written(1).await.len(), 1);
    }

    // R14
    async fn a_handoff_waits_for_a_notes_service_that_is_down_and_the_receiver_is_told_meanwhile(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let it = world.begin("c-1").await;
        let it = world.assign("ana", &it, &ana).await.unwrap();
        world.notes.go_down(true);
        world.hand_over("ana", &it, to(&ben), Some(handoff())).await.unwrap();
        assert_eq!(world.told(1).await[0].r#type(), NotificationType::Handoff);
        assert!(world.notes.so_far().is_empty());
        world.notes.go_down(false);
        assert_eq!(world.notes.written(1).await.len(), 1);
    }

    // R14, P12
    async fn a_handoff_that_was_not_written_yet_goes_with_its_conversation_when_that_is_erased(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let (it, other) = (world.begin("c-1").await, world.begin("c-2").await);
        let (it, other) = (world.assign("ana", &it, &ana).await.unwrap(), world.assign("ana", &other, &ana).await.unwrap());
        world.notes.go_down(true);
        world.hand_over("ana", &it, to(&ben), Some(handoff())).await.unwrap();
        world.hand_over("ana", &other, to(&ben), Some(handoff())).await.unwrap();
        erase(&world, &world.request_id(), &[&it.contact_id]).await;
        world.notes.go_down(false);
        let written = world.notes.written(1).await;
        assert_eq!(written.iter().map(|note| &note.conversation_id).collect::<Vec<_>>(), [&other.conversation_id]);
        world.told(2).await;
    }

    // R14, N3
    async fn what_a_handoff_says_is_in_no_answer_of_routing(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let it = world.begin("c-1").await;
        let it = world.assign("ana", &it, &ana).await.unwrap();
        let given = world.hand_over("ana", &it, to(&ben), Some(handoff())).await.unwrap();
        world.notes.written(1).await;
        let history = GetHistoryRequest { conversation_id: it.conversation_id.clone(), ..Default::default() };
        let mut histories = history_service_client::HistoryServiceClient::new(world.client("ana", Role::Agent));
        let history = histories.get_history(history).await.unwrap().into_inner();
        let seen = format!("{given:?} {:?} {history:?} {:?}", world.decisions(&it.conversation_id).await, world.told(1).await);
        assert!(!seen.contains("SECRET"));
    }
}
