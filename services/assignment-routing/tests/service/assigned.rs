//! Who gets a conversation by hand.

use proto::common::v1::ErrorReason;
use proto::notifications::v1::NotificationType;
use proto::routing::v1::assign_conversation_request::Target;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, metadata, refusal};

testkit::on_both_databases! {
    // R8
    async fn an_assignee_is_told_and_finds_it_in_mine(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let it = world.begin("c-1").await;
        let given = world.assign("ana", &it, &ben).await.unwrap();
        assert_eq!(given.assignee.as_ref().unwrap().username, "ben");
        let told = world.told(1).await;
        assert_eq!((told[0].r#type(), told[0].recipient_subjects.as_slice()), (NotificationType::Assigned, ["ben".to_owned()].as_slice()));
        assert_eq!(told[0].actor.as_ref().unwrap().subject, "ana");
        assert_eq!(told[0].conversation_id, it.conversation_id);
        assert_eq!(world.view("ben", InboxView::Mine).await.len(), 1);
        let taken = world.assign("ana", &given, &ana).await.unwrap();
        assert_eq!(taken.assignee.unwrap().username, "ana");
        assert_eq!((world.agent("ana").await.open_conversation_count, world.agent("ben").await.open_conversation_count), (1, 0));
        assert_eq!(world.told(1).await.len(), 1, "nobody is told of what they did themselves");
    }

    // R8
    async fn an_etag_that_is_not_current_is_aborted_and_names_the_current_one(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let it = world.begin("c-1").await;
        let now = world.assign("ana", &it, &ana).await.unwrap();
        let refused = world.assign("ben", &it, &ana).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Aborted, Some(ErrorReason::StaleEtag)));
        assert_eq!(metadata(&refused, "etag"), Some(now.etag.clone()));
        assert_eq!(world.assign("ana", &now, &ana).await.unwrap(), now, "to whom it belongs changes nothing");
    }

    // R8, P5
    async fn a_retry_has_the_first_answer_though_its_etag_is_old_by_then(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let it = world.begin("c-1").await;
        let request = AssignConversationRequest {
            conversation_id: it.conversation_id.clone(),
            etag: it.etag,
            target: Some(Target::AgentId(ana.agent_id)),
            request_id: world.request_id(),
            ..Default::default()
        };
        let first = world.assignments("ben").assign_conversation(request.clone()).await.unwrap().into_inner();
        let again = world.assignments("ben").assign_conversation(request).await.unwrap().into_inner();
        assert_eq!(first, again);
        assert_eq!(world.decisions(&it.conversation_id).await.len(), 2, "unrouted, then assigned once");
    }

    // R8
    async fn who_and_what_does_not_exist_is_not_found_and_what_is_resolved_is_refused(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        let absent = Agent { agent_id: world.request_id(), ..Default::default() };
        assert_eq!(world.assign("ana", &it, &absent).await.unwrap_err().code(), Code::NotFound);
        let team = Target::TeamId(world.request_id());
        assert_eq!(world.order("ana", &it, team).await.unwrap_err().code(), Code::NotFound);
        let lost = Conversation { conversation_id: world.request_id(), ..it.clone() };
        assert_eq!(world.order("ana", &lost, Target::Nobody(())).await.unwrap_err().code(), Code::NotFound);
        let resolved = world.resolve(&it.conversation_id).await;
        let refused = world.order("ana", &resolved, Target::Nobody(())).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, Some(ErrorReason::ConversationResolved)));
    }

    // R8
    async fn taken_from_everybody_it_waits_in_unassigned_and_in_no_queue(engine) {
        let world = World::on(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("airline", &[&ana]).await;
        world.route("", &team).await;
        let it = world.begin("c-1").await;
        let it = world.assigned(&it.conversation_id).await;
        let free = world.order("ana", &it, Target::Nobody(())).await.unwrap();
        assert_eq!((free.assignee, free.team_id.as_str()), (None, team.team_id.as_str()));
        assert_eq!(world.agent("ana").await.open_conversation_count, 0);
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        assert_eq!(world.view("ana", InboxView::Unassigned).await.len(), 1, "a person took it out, no sweep puts it back");
    }

    // R8
    async fn of_two_people_at_once_exactly_one_wins(engine) {
        let world = std::sync::Arc::new(World::on(engine).await);
        let agents = [world.agent("ana").await, world.agent("ben").await];
        for race in 0..200 {
            let it = world.begin(&format!("c-{race}")).await;
            let tries = agents.clone().map(|agent| {
                let (world, it) = (std::sync::Arc::clone(&world), it.clone());
                tokio::spawn(async move { world.assign(&agent.subject, &it, &agent).await })
            });
            let mut won = Vec::new();
            for one in tries {
                match one.await.unwrap() {
                    Ok(given) => won.push(given),
                    Err(lost) => assert_eq!(refusal(&lost), (Code::Aborted, Some(ErrorReason::StaleEtag))),
                }
            }
            assert_eq!(won.len(), 1, "race {race}");
            assert_eq!(world.read(&it.conversation_id).await, won[0]);
        }
        let open = world.agent("ana").await.open_conversation_count + world.agent("ben").await.open_conversation_count;
        assert_eq!(open, 200);
    }
}
